"""WSSSMetric: numbers by hand, agreement with IoUMetric, protocol, groups, CRF, files, errors."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import PixelData
from mmseg.evaluation import IoUMetric
from mmseg.registry import METRICS
from mmseg.structures import SegDataSample
from PIL import Image

from wsss_plugin.evaluation.dense_crf import dense_crf
from wsss_plugin.evaluation.wsss_metric import WSSSMetric

SAVED = Path(__file__).parents[1] / 'data' / 'crf.npz'
META = {'classes': ('background', 'cat', 'dog'), 'palette': [[0, 0, 0], [250, 0, 0], [0, 250, 0]]}
TRUE = torch.tensor([[0, 0, 1, 1], [0, 2, 2, 255]])


def sample(prediction=TRUE, label=TRUE, **metainfo):
    metainfo = {'img_path': '/d/a.jpg', 'img_shape': (8, 16), 'ori_shape': (2, 4)} | metainfo
    data_sample = SegDataSample(metainfo=metainfo)
    data_sample.gt_sem_seg = PixelData(data=label[None])
    data_sample.pred_sem_seg = PixelData(data=prediction.clamp(max=2)[None])
    return data_sample


def add_cam(data_sample, score, label, name='cam'):
    data_sample.set_data({name: PixelData(score=score[None], label=label[None].to(torch.uint8))})
    return data_sample


def evaluate(samples, meta=META, **arguments):
    metric = WSSSMetric(**arguments)
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = meta
    for item in samples:
        evaluator.process([item], {})
    return evaluator.evaluate(len(samples))


def test_a_cam_of_any_name_is_scored(log):
    score = torch.where(TRUE == 255, 0.0, TRUE.clamp(max=1).float())
    item = add_cam(sample(), score, TRUE, name='clip_cam')
    metrics = evaluate([item], cam_threshold_sweep=(0.3,))
    assert metrics['clip_cam/mIoU'] == 100
    assert metrics['clip_cam/best_mIoU'] == 100
    assert 'IoU clip CAM' in log[0]


@pytest.fixture
def log(monkeypatch):
    lines = []
    monkeypatch.setattr(
        'wsss_plugin.evaluation.wsss_metric.print_log', lambda text, **_: lines.append(text)
    )
    return lines


def test_numbers_by_hand():
    prediction = torch.tensor([[0, 1, 1, 1], [0, 0, 2, 1]])
    metrics = evaluate([sample(prediction)])
    # background: 2 of 4, cat: 2 of 3, dog: 1 of 2 (the ignored pixel counts nowhere)
    assert metrics['mIoU'] == round(100 * (2 / 4 + 2 / 3 + 1 / 2) / 3, 2)
    assert metrics['mAcc'] == round(100 * (2 / 3 + 1 + 1 / 2) / 3, 2)
    assert metrics['aAcc'] == round(100 * 5 / 7, 2)
    assert metrics['over_activation'] == round(100 * (1 / 3 + 0) / 2, 2)
    assert metrics['false_negative'] == 25
    assert set(metrics) == {'mIoU', 'mAcc', 'aAcc', 'over_activation', 'false_negative'}


def test_segmentation_agrees_with_iou_metric():
    generator = torch.Generator().manual_seed(0)
    samples = []
    for _ in range(4):
        maps = torch.randint(0, 3, (2, 11, 7), generator=generator)
        maps[1, :2] = 255
        samples.append(sample(*maps))
    toolbox = Evaluator(IoUMetric())
    toolbox.dataset_meta = META
    toolbox.process(samples, {})
    expected = toolbox.evaluate(4)
    metrics = evaluate(samples)
    assert {name: metrics[name] for name in expected} == pytest.approx(expected, abs=0.011)


def test_cam_score_at_the_threshold_is_background_and_sweep_says_so(log):
    score = torch.tensor([[0.1, 0.4, 0.5, 0.9], [0.2, 0.7, 0.7, 0.9]])
    label = torch.tensor([[1, 1, 1, 1], [1, 2, 2, 2]])
    data_sample = add_cam(sample(), score, label)
    add_cam(data_sample, score, label, 'aux_cam')
    metrics = evaluate([data_sample], cam_threshold=0.5, cam_threshold_sweep=(0.3, 0.45))
    at_half = round(100 * (3 / 4 + 1 / 2 + 1) / 3, 2)
    assert metrics['cam/mIoU'] == metrics['aux_cam/mIoU'] == at_half
    assert metrics['cam/mIoU_at_0.5'] == at_half
    assert metrics['cam/mIoU_at_0.45'] == metrics['cam/best_mIoU'] == 100
    assert metrics['cam/best_threshold'] == 0.45
    # One pixel of the background is called cat.
    assert metrics['cam/mIoU_at_0.3'] == round(100 * (2 / 3 + 2 / 3 + 1) / 3, 2)
    assert metrics['cam/false_negative'] == 25
    assert 'cnn_cam/mIoU' not in metrics
    assert 'best CAM mIoU 100.00 at 0.45, picked on these masks' in log[0]
    assert 'fixed at 0.5; swept over 0.3, 0.45, 0.5' in log[0]


def test_protocol_precedes_the_tables(log):
    evaluate([sample()], split='val.txt', scales=(1.0, 1.25), flip=True)
    line = log[0].strip().splitlines()[0]
    sizes = ('input size at scale 1: 8x16', 'scored at size: 2x4')
    for part in ('split: val.txt', 'images: 1', *sizes, 'scales: 1, 1.25'):
        assert part in line
    for part in ('flip: yes', 'CRF: off', 'tags used for segmentation: no', 'CAMs: none'):
        assert part in line
    evaluate([sample()], scales=(None, 1.25))
    last = log.pop()
    assert 'input size at scale unknown: 8x16' in last
    assert 'scales: unknown, 1.25' in last
    cells = [row.split('|')[1:3] for row in log[0].splitlines() if row.startswith('| dog')]
    assert [cell.strip() for cell in cells[0]] == ['dog', '100.00']
    add_cam(data_sample := sample(), torch.ones(2, 4), TRUE.clamp(max=2))
    data_sample.gt_tags = torch.ones(2)
    evaluate([data_sample])
    assert 'input size: 8x16' in log[1]
    assert 'tags used for CAMs: yes' in log[1]
    assert 'tags used for segmentation: yes' in log[1]


def test_groups_are_scored_on_their_own(log):
    wrong = torch.zeros(2, 4, dtype=torch.long)
    samples = [
        sample(groups=('plain',)),
        sample(wrong, groups=('camouflage', 'partial')),
        sample(groups='partial'),
    ]
    metrics = evaluate(samples)
    assert metrics['group/plain/mIoU'] == 100
    assert metrics['group/camouflage/mIoU'] == round(100 * (3 / 7) / 3, 2)
    # Background is 6 of 10 pixels, cat 2 of 4 and dog 2 of 4 of the two images.
    assert metrics['group/partial/mIoU'] == round(100 * (6 / 10 + 2 / 4 + 2 / 4) / 3, 2)
    rows = [row.split() for row in log[0].splitlines() if row.startswith('| partial')]
    assert [row[:4] for row in rows] == [['|', 'partial', '|', '2']]


def test_class_absent_from_both_does_not_count():
    label = torch.tensor([[0, 1]])
    metrics = evaluate([sample(label, label)])
    assert metrics['mIoU'] == 100
    ignored = torch.full((1, 2), 255)
    assert np.isnan(evaluate([sample(label, ignored)])['mIoU'])


@pytest.fixture
def warnings(monkeypatch):
    lines = []
    monkeypatch.setattr(
        'wsss_plugin.evaluation.wsss_metric.print_log',
        lambda text, level=None, **_: lines.append(text) if level == logging.WARNING else None,
    )
    return lines


@pytest.mark.parametrize('values', [(0, 255), (0, 0), (255, 255)])
def test_masks_without_foreground_are_reported(warnings, values):
    label = torch.tensor([values])
    predicted = sample(torch.zeros_like(label), label)
    evaluate([predicted, predicted])
    (line,) = warnings
    assert 'expected foreground in the masks' in line
    assert '255 is ignored' in line
    evaluate([predicted, sample()])
    evaluate([add_cam(predicted, torch.ones(1, 2), torch.ones(1, 2))])
    assert warnings == [line, line]


def test_no_mask_is_no_warning(warnings, tmp_path):
    evaluate([sample()], format_only=True, output_dir=str(tmp_path))
    assert warnings == []


def test_positions_of_added_samples_are_cut_off():
    metric = WSSSMetric()
    metric.dataset_meta = META
    wrong = torch.zeros(2, 4, dtype=torch.long)
    metric.process({}, [item.to_dict() for item in (sample(), sample(wrong))])
    assert metric.evaluate(1)['mIoU'] == 100
    assert metric.results == []


def test_results_stay_small():
    metric = WSSSMetric(cam_threshold_sweep=(0.1, 0.2, 0.3))
    metric.dataset_meta = {'classes': [str(index) for index in range(81)]}
    large = torch.zeros(300, 400, dtype=torch.long)
    data_sample = add_cam(sample(large, large), torch.rand(300, 400), large + 1)
    metric.process({}, [data_sample.to_dict()])
    counts = metric.results[0]['fields'].values()
    assert sum(item.counts.nbytes + item.classes.nbytes for item in counts) < 1000


def test_crf_is_reported_beside_the_segmentation(tmp_path):
    saved = np.load(SAVED)
    image_path = str(tmp_path / 'street.png')
    Image.fromarray(saved['img']).save(image_path)
    prob = torch.from_numpy(saved['prob'] / saved['prob'].sum(0))
    settings = {'num_iter': 10, 'gaussian': (3, 3), 'bilateral': (80, 13, 10)}
    refined = dense_crf(saved['img'], prob.numpy(), **settings).argmax(0)
    data_sample = sample(prob.argmax(0), torch.from_numpy(refined), img_path=image_path)
    data_sample.seg_logits = PixelData(data=prob.log())
    metrics = evaluate(
        [data_sample, data_sample],
        crf=settings,
        crf_workers=1,
        output_dir=str(tmp_path / 'out'),
    )
    assert metrics['mIoU'] < 97
    assert metrics['crf/mIoU'] > 99
    saved = np.array(Image.open(tmp_path / 'out' / 'street.png'))
    assert (saved == refined).mean() > 0.99


def test_format_only_writes_palette_pngs_without_masks(tmp_path):
    data_sample = sample(img_path='/d/2007_000001.jpg')
    del data_sample.gt_sem_seg
    assert evaluate([data_sample], format_only=True, output_dir=str(tmp_path / 'a' / 'b')) == {}
    image = Image.open(tmp_path / 'a' / 'b' / '2007_000001.png')
    assert image.mode == 'P'
    assert image.getpalette()[3:6] == [250, 0, 0]
    assert (np.array(image) == TRUE.clamp(max=2).numpy()).all()


def test_predictions_of_equal_names_do_not_overwrite_each_other(tmp_path):
    label = torch.ones(1, 2, dtype=torch.long)
    first, second = (sample(label, label, img_path=f'/d/{name}/1.jpg') for name in 'ab')
    with pytest.raises(ValueError, match=r'/d/a/1\.jpg and /d/b/1\.jpg, .*1\.png; rename'):
        evaluate([first, second], output_dir=str(tmp_path), format_only=True)
    assert evaluate([first, second])['mIoU'] == 100
    # The distributed sampler repeats images, and validation comes again.
    metric = WSSSMetric(output_dir=str(tmp_path))
    metric.dataset_meta = META
    for _ in range(2):
        metric.process({}, [first.to_dict(), first.to_dict()])
        assert metric.evaluate(1)['mIoU'] == 100


def test_predictions_of_equal_names_in_several_processes(tmp_path):
    metric = WSSSMetric(output_dir=str(tmp_path), format_only=True)
    metric.dataset_meta = META
    metric.process({}, [sample(img_path='/d/a/1.jpg').to_dict()])
    theirs = WSSSMetric(output_dir=str(tmp_path), format_only=True)
    theirs.dataset_meta = META
    theirs.process({}, [sample(img_path='/d/b/1.jpg').to_dict()])
    with pytest.raises(ValueError, match=r'/d/a/1\.jpg and /d/b/1\.jpg'):
        metric.compute_metrics([*metric.results, *theirs.results])


def test_out_file_holds_protocol_and_rates(tmp_path):
    path = tmp_path / 'new' / 'result.json'
    label = torch.tensor([[0, 1]])
    evaluate([sample(label, label, groups=('plain',))], out_file=str(path), split='val')
    content = json.loads(path.read_text())
    assert content['protocol']['split'] == 'val'
    assert content['classes']['cat']['segmentation']['iou'] == 100
    assert content['classes']['dog']['segmentation']['iou'] is None
    assert content['groups']['plain']['images'] == 1
    assert content['metrics']['mIoU'] == 100


def test_a_pseudo_label_is_scored_where_it_labels():
    item = sample()
    label = torch.tensor([[0, 255, 1, 2], [0, 2, 255, 1]])
    item.set_data({'walk_pseudo_label': PixelData(data=label[None])})
    metrics = evaluate([item])
    # Background: 2 of 2; cat: 1 right, 1 called dog; dog: 1 right of 2 called so.
    assert metrics['walk_pseudo_label/mIoU'] == pytest.approx(100 * (1 + 0.5 + 0.5) / 3, abs=0.01)
    assert metrics['walk_pseudo_label/labelled'] == pytest.approx(100 * 5 / 7, abs=0.01)
    assert metrics['mIoU'] == 100


def test_a_pseudo_label_of_another_size_is_refused():
    item = sample()
    item.set_data({'pseudo_label': PixelData(data=TRUE[None, :1])})
    with pytest.raises(ValueError, match='pseudo label and mask of one size'):
        evaluate([item])


def test_registered():
    assert METRICS.get('WSSSMetric') is WSSSMetric


@pytest.mark.parametrize(
    ('arguments', 'pattern'),
    [
        ({'cam_threshold': 1.0}, 'received 1.0'),
        ({'cam_threshold_sweep': (0.3, -0.1)}, 'received -0.1'),
        ({'format_only': True}, 'output_dir'),
        ({'crf': {}, 'crf_workers': 0}, 'crf_workers'),
    ],
)
def test_argument_errors(arguments, pattern):
    with pytest.raises(ValueError, match=pattern):
        WSSSMetric(**arguments)


def test_sample_errors_name_the_image():
    without_mask = sample()
    del without_mask.gt_sem_seg
    with pytest.raises(KeyError, match=r'gt_sem_seg of /d/a\.jpg'):
        evaluate([without_mask])
    with pytest.raises(ValueError, match=r'mask of /d/a\.jpg, received 7'):
        evaluate([sample(label=TRUE.clamp(max=7))])
    with pytest.raises(ValueError, match=r'of /d/a\.jpg at the size of its mask'):
        evaluate([sample(prediction=TRUE[:1])])
    unknown_class = sample()
    unknown_class.pred_sem_seg.data[0, 0, 0] = 5
    with pytest.raises(ValueError, match='num_classes of the heads'):
        evaluate([unknown_class])
    without_prediction = sample()
    del without_prediction.pred_sem_seg
    with pytest.raises(KeyError, match=r'pred_sem_seg of /d/a\.jpg'):
        evaluate([without_prediction])
    with pytest.raises(KeyError, match='METAINFO'):
        evaluate([sample()], meta={})
