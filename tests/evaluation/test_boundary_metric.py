"""The boundary IoU in WSSSMetric: option, names, table, file, processes."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from wsss_plugin.evaluation.wsss_metric import WSSSMetric

META = {'classes': ('background', 'cat', 'dog')}


def box(left, value=1):
    label = torch.zeros(9, 9, dtype=torch.long)
    label[2:7, left : left + 5] = value
    return label


def sample(prediction, label, **metainfo):
    item = SegDataSample(metainfo={'img_path': '/d/a.jpg', 'ori_shape': (9, 9)} | metainfo)
    item.gt_sem_seg = PixelData(data=label[None])
    item.pred_sem_seg = PixelData(data=prediction[None])
    return item


def metric_of(samples, **arguments):
    metric = WSSSMetric(**arguments)
    metric.dataset_meta = META
    metric.process({}, [item.to_dict() for item in samples])
    return metric


SAMPLES = [sample(box(3), box(2), groups=('moved',)), sample(box(2), box(2))]


def test_nothing_is_computed_unless_asked_for(tmp_path):
    file = tmp_path / 'scores.json'
    metric = metric_of(SAMPLES, out_file=str(file))
    assert [result['boundaries'] for result in metric.results] == [{}, {}]
    assert [name for name in metric.evaluate(2) if 'boundary' in name] == []
    assert 'boundary' not in file.read_text()


def test_mean_classes_groups_and_protocol(tmp_path, monkeypatch):
    lines = []
    name = 'wsss_plugin.evaluation.wsss_metric.print_log'
    monkeypatch.setattr(name, lambda text, **_: lines.append(text))
    file = tmp_path / 'scores.json'
    metrics = metric_of(SAMPLES, boundary=True, out_file=str(file)).evaluate(2)
    content = json.loads(file.read_text())
    rates = {
        name: content['classes'][name]['segmentation']['boundary_iou'] for name in META['classes']
    }
    # One pixel wide: 8 of 24 pixels in the first image, 16 of 16 in the second.
    assert rates['cat'] == round(100 * (8 + 16) / (24 + 16), 2)
    assert rates['dog'] is None
    mean = (rates['background'] + rates['cat']) / 2
    assert metrics['boundary_mIoU'] == pytest.approx(mean, abs=0.01)
    moved = content['groups']['moved']['classes']['cat']['segmentation']
    assert moved['boundary_iou'] == round(100 * 8 / 24, 2)
    assert 'boundary IoU: within 2 % of the diagonal' in lines[0]
    assert 'boundary IoU seg' in lines[0]


def test_the_distance_is_an_option():
    narrow, wide = (
        metric_of(SAMPLES, boundary=True, boundary_distance=distance).evaluate(2)
        for distance in (0.02, 0.9)
    )
    assert narrow['boundary_mIoU'] < wide['boundary_mIoU'] == wide['mIoU']
    for distance in (0, 1.5):
        with pytest.raises(ValueError, match=f'boundary_distance: expected .*received {distance}'):
            WSSSMetric(boundary_distance=distance)


def test_cams_are_scored_and_pseudo_labels_are_not():
    item = copy.deepcopy(SAMPLES[0])
    score, label = torch.ones(1, 9, 9), box(2)[None].to(torch.uint8)
    item.set_data({'cam': PixelData(score=score * (label > 0), label=label)})
    item.set_data({'pseudo_label': PixelData(data=box(2)[None])})
    metrics = metric_of([item], boundary=True, cam_threshold_sweep=(0.3, 0.6)).evaluate(1)
    assert metrics['cam/boundary_mIoU'] == 100 > metrics['boundary_mIoU']
    assert {name for name in metrics if 'boundary' in name} == {
        'boundary_mIoU',
        'cam/boundary_mIoU',
    }


def test_results_of_several_processes_are_summed(monkeypatch):
    first, second = (metric_of(SAMPLES, boundary=True) for _ in range(2))
    theirs = pickle.dumps(second.results)

    def collected(results, size, *_, **__):
        # As MMEngine has it: in turn, and without what the sampler repeated at the end.
        pairs = zip(results, pickle.loads(theirs), strict=True)
        return [result for pair in pairs for result in pair][:size]

    monkeypatch.setattr('mmengine.evaluator.metric.collect_results', collected)
    together = first.evaluate(3)
    monkeypatch.undo()
    single = metric_of([SAMPLES[0], *SAMPLES], boundary=True).evaluate(3)
    assert together == single
    assert (
        together['boundary_mIoU'] != metric_of(SAMPLES, boundary=True).evaluate(2)['boundary_mIoU']
    )
