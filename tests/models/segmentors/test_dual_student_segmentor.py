from __future__ import annotations

import copy

import pytest
import torch
import torch.nn.functional as F
from mmengine.config import ConfigDict
from mmseg.registry import MODELS
from student_networks import (
    CLASSES,
    SIDE,
    build,
    dual_config,
    samples,
    student_config,
    views,
)
from torch.testing import assert_close

from wsss_plugin.engine.deployment import deployed_model, deployed_weights
from wsss_plugin.engine.optimizers.heads import find_heads
from wsss_plugin.engine.segmentor_kinds import predicts, threshold_keys
from wsss_plugin.models.segmentors import DualStudentSegmentor

OWN = {'first.loss_cls', 'second.loss_cls'}
EARLY = {'loss_discrepancy', 'loss_seg_first', 'loss_seg_second', 'supervised_fraction'}
LATE = {'loss_ignored_first', 'loss_ignored_second'}


@pytest.fixture
def model():
    return build(dual_config())


def test_losses_of_both_students_and_between_them(model, iteration):
    iteration(0, 20)
    assert set(model.loss(views(), samples())) == OWN | EARLY
    iteration(10, 20)
    losses = model.loss(views(), samples())
    assert set(losses) == OWN | EARLY | LATE
    total, log = model.parse_losses(losses)
    parts = [value for name, value in losses.items() if 'loss' in name]
    assert_close(total, sum(parts))
    assert set(log) == set(losses) | {'loss'}


def test_every_weight_of_both_students_is_trained(model, iteration):
    iteration(10, 20)
    total, _ = model.parse_losses(model.loss(views(), samples()))
    total.backward()
    without = [name for name, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert without == []


def test_under_autocast_every_trained_weight_has_a_gradient(model, iteration):
    iteration(10, 20)
    with torch.autocast('cpu', torch.bfloat16):
        total, _ = model.parse_losses(model.loss(views(), samples()))
    total.backward()
    assert all(p.grad is not None for p in model.parameters() if p.requires_grad)


def test_students_see_what_they_would_alone(model, iteration):
    """A student's own losses are those of the same segmentor without a second one."""
    iteration(0, 20)
    inputs = views()
    losses = model.loss(inputs, samples())
    for name, student in model.students.items():
        alone = MODELS.build(
            student_config(data_preprocessor=dict(type='MultiViewDataPreProcessor'))
        )
        alone.load_state_dict(student.state_dict())
        expected = alone.loss(inputs, samples())
        assert_close(losses[f'{name}.loss_cls'], expected['loss_cls'])


def test_the_label_of_the_other_student_is_learnt(model, iteration):
    iteration(0, 20)
    inputs = views()
    before = model.loss(inputs, samples())
    with torch.no_grad():
        model.students['second'].cams['final'].classifier.weight.neg_()
    after = model.loss(inputs, samples())
    assert before['loss_seg_first'] != after['loss_seg_first']
    assert_close(before['loss_seg_second'], after['loss_seg_second'])


def test_each_view_runs_once_through_each_student(model, iteration):
    iteration(10, 20)
    sizes = []
    for name, student in model.students.items():
        original = student.backbone.forward_features

        def recorded(image, *args, name=name, original=original):
            sizes.append((name, len(image), image.shape[-1], torch.is_grad_enabled()))
            return original(image, *args)

        student.backbone.forward_features = recorded
    model.loss(views(), samples())
    for name in ('first', 'second'):
        assert sizes.count((name, 2, SIDE, True)) == 1
        assert sizes.count((name, 2, 32, True)) == 1
        assert sum(not grad for one, _, _, grad in sizes if one == name) == 1


def test_filtered_labels_and_their_log(iteration):
    student = student_config()
    student['labels']['pixel']['filters'] = dict(noise=dict(type='GMMNoiseFilter', start=0.4))
    model = build(dual_config(student=student))
    iteration(8, 20)
    losses = model.loss(views(), samples())
    logged = {f'{name}.noise_share' for name in model.students}
    assert logged <= set(losses)


@pytest.mark.parametrize('deploy', ['first', 'second', 'mean'])
def test_what_is_deployed_predicts_the_same_alone(deploy):
    config = dual_config(deploy=deploy)
    model = build(config).eval()
    image = torch.randn(1, 3, SIDE, SIDE)
    expected = model.predict(image, samples()[:1])[0].seg_logits.data
    if deploy != 'mean':
        alone = model.students[deploy].predict(image, samples()[:1])[0].seg_logits.data
        assert_close(alone, expected)
    deployed = build(ConfigDict(deployed_model(config)), seed=1)
    deployed.load_state_dict(deployed_weights(model.state_dict(), config))
    found = deployed.eval().predict(image, samples()[:1])[0].seg_logits.data
    assert_close(found, expected)
    assert_close(model(image, mode='tensor'), deployed(image, mode='tensor'))


def test_the_mean_is_that_of_the_probabilities():
    model = build(dual_config(deploy='mean')).eval()
    image, metas = (
        torch.randn(2, 3, SIDE, SIDE),
        [dict(ori_shape=(SIDE, SIDE), img_shape=(SIDE, SIDE))] * 2,
    )
    parts = [s.encode_decode(image, metas).softmax(dim=1) for s in model.students.values()]
    found = model.encode_decode(image, metas).softmax(dim=1)
    assert_close(found, (parts[0] + parts[1]) / 2)


def test_cams_and_labels_are_shown():
    test_cfg = dict(mode='whole', cam=True, pseudo_label=True)
    model = build(dual_config(deploy='second', test_cfg=test_cfg)).eval()
    sample = model.predict(torch.randn(1, 3, SIDE, SIDE), samples()[:1])[0]
    assert sample.cam.score.shape == sample.pseudo_label.data.shape == (1, SIDE, SIDE)
    assert model.cam_names == ('final',)
    assert model.labels is model.students['second'].labels
    assert model.thresholds is model.students['second'].thresholds
    assert model.num_foreground == CLASSES


def test_what_tools_ask_of_the_config():
    config = dual_config(deploy='second')
    assert predicts(config) == dict(segmentation='decode_head', cams=('final',), labels=('pixel',))
    assert threshold_keys(config) == ('students.first.thresholds', 'students.second.thresholds')
    assert deployed_model(config)['type'] == 'EncoderDecoder'
    assert deployed_model(config | dict(deploy='mean'))['type'] == 'MeanSegmentor'


def test_heads_of_both_students_are_found(model):
    expected = {f'students.{s}.{part}' for s in model.students for part in ('cams', 'decode_head')}
    assert expected <= set(find_heads(model))


def test_copies_and_states(model, iteration):
    copied = copy.deepcopy(model)
    names = set(model.state_dict())
    assert len({id(value) for value in model.parameters()}) == len(list(model.parameters()))
    other = build(dual_config(), seed=3)
    other.load_state_dict(model.state_dict())
    iteration(10, 20)
    inputs = views()
    expected = model.loss(inputs, samples())
    assert_close(copied.loss(inputs, samples()), expected)
    assert_close(other.loss(inputs, samples()), expected)
    assert all(name.startswith(('students.first.', 'students.second.')) for name in names)


@pytest.mark.parametrize('classes', [1, 1000])
def test_students_of_one_class_and_of_many(classes, iteration):
    student = student_config(
        decode_head=dict(type='LargeFOVHead', in_channels=24, channels=8, num_classes=classes + 1),
        thresholds=dict(low=0.3, high=(0.4,) * classes),
    )
    model = build(dual_config(student=student))
    iteration(10, 20)
    tags = torch.zeros(1, classes)
    tags[0, [0, classes - 1]] = 1
    inputs = {name: view[:1] for name, view in views().items()}
    losses = model.loss(inputs, samples(tags.tolist()))
    for name, student in model.students.items():
        batch = student.batch(inputs, samples(tags.tolist()))
        expected = F.multilabel_soft_margin_loss(batch.main.logits('final'), tags)
        assert_close(losses[f'{name}.loss_cls'], expected)
        assert set(batch.label('pixel').unique().tolist()) <= {0, 1, classes, 255}


def test_errors():
    with pytest.raises(ValueError, match="named \\('first', 'second'\\)"):
        build(dual_config(students=dict(first=student_config(), third=student_config())))
    with pytest.raises(ValueError, match=r'model\.deploy'):
        build(dual_config(deploy='best'))
    with pytest.raises(ValueError, match=r'terms\.cross.*labels.*other'):
        build(dual_config(terms=dict(cross=dict(type='CrossSegmentationTerm', labels='other'))))
    with pytest.raises(ValueError, match=r'terms\.apart.*cnn'):
        build(dual_config(terms=dict(apart=dict(type='DiscrepancyTerm', reads='cnn'))))
    first = student_config(decode_head=None, labels={})
    first['cams']['final']['num_classes'] = CLASSES
    with pytest.raises(ValueError, match='decode heads'):
        build(dual_config(students=dict(first=first, second=student_config()), terms={}))


def test_missing_views_and_geometries(model, iteration):
    iteration(0, 20)
    with pytest.raises(KeyError, match='strong'):
        model.loss(dict(view1=torch.randn(2, 3, SIDE, SIDE)), samples())
    iteration(10, 20)
    with pytest.raises(KeyError, match='view_geometry'):
        model.loss(views(), samples(strong=False))


def test_a_term_that_gives_a_loss_twice(iteration):
    terms = dict(
        one=dict(type='CrossSegmentationTerm', labels='pixel'),
        two=dict(type='CrossSegmentationTerm', labels='pixel'),
    )
    model = build(dual_config(terms=terms))
    iteration(0, 20)
    assert {'loss_seg_first_one', 'loss_seg_first_two'} <= set(model.loss(views(), samples()))


def test_a_mean_is_not_trained():
    mean = build(deployed_model(dual_config(deploy='mean')))
    with pytest.raises(NotImplementedError, match='DualStudentSegmentor'):
        mean.loss(torch.randn(1, 3, SIDE, SIDE), samples()[:1])
    assert isinstance(build(dual_config()), DualStudentSegmentor)
