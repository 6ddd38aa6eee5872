"""What the configs of MCTformer, ClusterCAM and DuPL give."""

from __future__ import annotations

import copy
import itertools
from pathlib import Path

import pytest
import torch
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import PARAM_SCHEDULERS, TRANSFORMS

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.engine.run_config import use_final_threshold
from wsss_plugin.engine.segmentor_kinds import deployed
from wsss_plugin.ops import cosine_threshold

CONFIGS = Path(__file__).parents[2] / 'configs'


def load(name):
    return Config.fromfile(CONFIGS / name)


@pytest.mark.parametrize('name', ['voc', 'coco', 'shapes', 'dual_shapes'])
def test_both_students_are_configured_alike(name):
    students = load(f'dupl/{name}.py').model.students
    assert students.first == students.second


def test_thresholds_of_classes_descend_as_published():
    config = load('dupl/voc.py')
    (hook,) = [one for one in config.custom_hooks if one.type == 'CosineThresholdHook']
    kept = [start == end for start, end in zip(hook.start, hook.end, strict=True)]
    # aeroplane, bicycle, bird, boat, chair and train keep it.
    assert [index for index, same in enumerate(kept) if same] == [0, 1, 2, 3, 8, 18]
    assert cosine_threshold(9000, 18000, hook.start[4], hook.end[4]) == pytest.approx(0.625)
    use_final_threshold(config)
    for student in config.model.students.values():
        assert student.thresholds.high == hook.end


@pytest.mark.parametrize('name', ['mctformer/voc.py', 'clustercam/voc.py', 'clustercam/coco.py'])
def test_rates_rise_to_the_base_and_fall_from_it(name):
    config = load(name)
    total, base = config.train_cfg.max_iters, config.optim_wrapper.optimizer.lr
    # The same shape in a hundredth of the steps.
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base)
    optimizer.step()
    built = []
    for schedule in copy.deepcopy(config.param_scheduler.model):
        schedule.update(begin=schedule.begin // 100, end=schedule.end // 100)
        built.append(PARAM_SCHEDULERS.build(dict(schedule, optimizer=optimizer)))
    rates = []
    for _ in range(total // 100):
        rates.append(optimizer.param_groups[0]['lr'])
        for scheduler in built:
            scheduler.step()
    top = rates.index(max(rates))
    assert rates[0] == pytest.approx(1e-6)
    assert max(rates) == pytest.approx(base, rel=1e-3)
    falling = zip(rates[top:], rates[top + 1 :], strict=False)
    assert all(later <= earlier * (1 + 1e-9) for earlier, later in falling)
    floor = config.param_scheduler.model[1].eta_min
    assert rates[-1] == pytest.approx(floor, rel=0.1)


def test_the_augmentation_runs_and_is_of_the_size():
    init_default_scope('mmseg')
    for name, side in (('mctformer/voc.py', 224), ('clustercam/voc.py', 448)):
        steps = load(name).train_dataloader.dataset.pipeline[1:-1]
        transform = Compose([TRANSFORMS.build(step) for step in steps])
        image = torch.randint(0, 256, (90, 120, 3), dtype=torch.uint8).numpy()
        results = [transform(dict(img=image.copy(), img_shape=(90, 120)))['img'] for _ in range(9)]
        assert {result.shape for result in results} == {(side, side, 3)}
        assert {str(result.dtype) for result in results} == {'uint8'}


@pytest.mark.parametrize('name', ['clustercam/voc.py', 'dupl/voc.py', 'clustercam/shapes.py'])
def test_deployed_as_an_ordinary_segmentor(name):
    model, prefixes = deployed(load(name).model.to_dict())
    assert model['type'] == 'EncoderDecoder'
    student = 'students.first.' if 'dupl' in name else ''
    assert prefixes[f'{student}decode_head.'] == 'decode_head.'
    if 'cluster' in name:
        assert model['backbone']['outputs'] == ('patch', 'class_to_patch')


def test_parts_of_dupl_are_added_one_by_one():
    found = {}
    for row in ('two_students', 'discrepancy', 'threshold', 'filter', 'consistency'):
        config = load(f'ablations/dupl/{row}.py')
        students = config.model.students
        assert students.first == students.second
        parts = {name for name, term in config.model.terms.items() if term is not None}
        parts |= {hook.type for hook in config.custom_hooks}
        parts |= {f'filter {name}' for name in students.first.labels.pixel.get('filters') or {}}
        found[row] = parts
    rows = list(found.values())
    added = [later - earlier for earlier, later in itertools.pairwise(rows)]
    assert added == [{'apart'}, {'CosineThresholdHook'}, {'filter noise'}, {'ignored'}]
    assert all(earlier < later for earlier, later in itertools.pairwise(rows))
    assert load('ablations/dupl/consistency.py').model == load('dupl/shapes.py').model


def test_one_student_is_that_of_two_and_learns_from_its_own_label():
    one = load('ablations/dupl/one_student.py').model
    two = load('ablations/dupl/two_students.py').model
    assert one.terms.seg.weight == two.terms.cross.weight
    assert one.terms.seg.start == two.terms.cross.start
    assert one.terms.seg.loss == two.terms.cross.loss
    student = two.students.first
    for key in ('backbone', 'decode_head', 'cams', 'thresholds', 'multi_scale'):
        assert one[key] == student[key]
    assert {**one.terms, 'seg': None} == student.terms


@pytest.mark.parametrize(
    ('row', 'steps'), [('steps_3', 3), ('steps_10', 10), ('without_clusters', 0)]
)
def test_steps_of_clustering(row, steps):
    config, base = load(f'ablations/clustercam/{row}.py').model, load('clustercam/shapes.py').model
    assert config.backbone.steps == steps
    config.backbone.steps = base.backbone.steps
    assert config == base
