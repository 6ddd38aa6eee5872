"""What holds for every segmentor made of parts."""

from __future__ import annotations

import copy
import itertools
import random
from collections import OrderedDict
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import EMAHook
from reference_networks import build, cam_config, dual_config, random_batch, small_config

from wsss_plugin.models.pseudo_labels import PixelLabels

DECODER = dict(
    cams=dict(decoder=dict(type='DecoderCAM')),
    labels=dict(pixel=dict(cams=((0, ('final',)), (1, ('final', 'decoder'))))),
)


def token_network():
    config = small_config(**DECODER)
    config['backbone']['model_args']['depth'] = 2
    config['cams']['aux']['reads'] = 'inner.0'
    return config


def dual_network():
    config = dual_config(**DECODER)
    config['backbone']['vit']['model_args']['depth'] = 2
    config['cams']['aux']['reads'] = 'inner.0'
    return config


ORDERS = [
    *((token_network, order) for order in itertools.permutations(['cls', 'ctc', 'ptc', 'seg'])),
    *(
        (dual_network, order)
        for order in (
            ('cls', 'consistency', 'ctc', 'ptc', 'seg'),
            ('seg', 'ptc', 'ctc', 'consistency', 'cls'),
            ('ctc', 'seg', 'consistency', 'ptc', 'cls'),
            ('ptc', 'seg', 'cls', 'ctc', 'consistency'),
        )
    ),
]


@pytest.mark.parametrize('prepared', [True, False], ids=['prepared', 'read as they come'])
def test_every_parameter_has_a_gradient_in_bfloat16_whoever_reads_first(iteration, prepared):
    iteration(1)
    inputs, samples = random_batch()
    for config, group in itertools.groupby(ORDERS, lambda pair: pair[0]):
        segmentor = build(config())
        terms = dict(segmentor.terms.items())
        for _, order in group:
            segmentor.zero_grad(set_to_none=True)
            segmentor.terms._modules = OrderedDict((name, terms[name]) for name in order)
            with torch.autocast('cpu', torch.bfloat16), pytest.MonkeyPatch.context() as patch:
                if not prepared:
                    patch.setattr('wsss_plugin.models.batch.Batch.prepare', lambda _batch: None)
                losses = segmentor.loss(inputs, samples)
            sum(value for name, value in losses.items() if 'loss' in name).backward()
            without = [
                name
                for name, parameter in segmentor.named_parameters()
                if parameter.requires_grad and parameter.grad is None
            ]
            assert not without, (order, without)


def test_the_order_of_evaluation_changes_no_gradient(iteration):
    iteration(1)
    inputs, samples = random_batch()
    segmentor = build(token_network()).double()
    inputs = {name: view.double() for name, view in inputs.items()}
    for sample in samples:
        sample.gt_tags = sample.gt_tags.double()
    terms, expected = dict(segmentor.terms.items()), None
    for order in (['cls', 'ctc', 'ptc', 'seg'], ['seg', 'ptc', 'ctc', 'cls']):
        segmentor.zero_grad(set_to_none=True)
        segmentor.terms._modules = OrderedDict((name, terms[name]) for name in order)
        losses = segmentor.loss(inputs, samples)
        sum(value for name, value in losses.items() if 'loss' in name).backward()
        gradients = {n: p.grad.clone() for n, p in segmentor.named_parameters() if p.requires_grad}
        expected = expected or gradients
        torch.testing.assert_close(gradients, expected)


@pytest.mark.parametrize('config', [small_config, dual_config, cam_config, token_network])
def test_nothing_stands_twice_in_the_state_dict(config):
    segmentor = build(config())
    tensors = list(segmentor.state_dict(keep_vars=True).values())
    storages = [tensor.untyped_storage().data_ptr() for tensor in tensors]
    assert len(set(storages)) == len(storages)
    modules = [id(module) for module in segmentor.modules()]
    assert len(set(modules)) == len(modules)
    assert len(list(segmentor.named_modules(remove_duplicate=False))) == len(modules)


def losses_of(segmentor):
    torch.manual_seed(0)
    return segmentor.loss(*random_batch())


@pytest.mark.parametrize('config', [small_config, dual_config])
def test_a_deep_copy_is_a_segmentor_of_its_own(config):
    segmentor = build(config())
    segmentor.backbone.eval()
    twin = copy.deepcopy(segmentor)
    expected = losses_of(segmentor)
    torch.testing.assert_close(losses_of(twin), expected)
    assert twin.thresholds is not segmentor.thresholds
    twin.thresholds.high = 0.9
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.add_(1)
    torch.testing.assert_close(losses_of(segmentor)['loss_cls_final'], expected['loss_cls_final'])
    assert losses_of(twin)['loss_cls_final'] != expected['loss_cls_final']


@pytest.mark.parametrize('config', [small_config, dual_config])
def test_mmengine_s_average_of_the_weights(config):
    segmentor = build(config())
    runner = SimpleNamespace(model=segmentor, iter=0, epoch=0)
    hook = EMAHook(momentum=0.5)
    hook.before_run(runner)
    segmentor.loss(*random_batch())
    head = segmentor.cams['final'].classifier
    first = head.weight.detach().clone()
    hook.after_train_iter(runner, 0)
    with torch.no_grad():
        head.weight.add_(1)
    runner.iter = 1
    hook.after_train_iter(runner, 1)
    hook.before_val_epoch(runner)
    torch.testing.assert_close(head.weight.detach(), first + 0.5)
    _, samples = random_batch(images=1)
    segmentor.eval()
    with torch.no_grad():
        assert 'cam' in segmentor.predict(torch.randn(1, 3, 64, 64), samples)[0]
    hook.after_val_epoch(runner)
    torch.testing.assert_close(head.weight.detach(), first + 1)


def shuffled(config, generator):
    """The same config whose dicts have another order."""
    if not isinstance(config, dict):
        return config
    names = list(config)
    generator.shuffle(names)
    return {name: shuffled(config[name], generator) for name in names}


def test_the_order_of_a_config_changes_nothing(tmp_path):
    config = dual_config()
    torch.manual_seed(0)
    segmentor = build(copy.deepcopy(config))
    expected = losses_of(segmentor)
    other = shuffled(config, random.Random(1))
    assert list(other['terms']) != list(config['terms'])
    # MMEngine sorts the keys of what it writes.
    Config(dict(model=config)).dump(tmp_path / 'config.py')
    written = Config.fromfile(tmp_path / 'config.py').model
    for again in (other, written):
        torch.manual_seed(0)
        twin = build(again)
        assert list(twin.state_dict()) == list(segmentor.state_dict())
        for name, weight in twin.named_parameters():
            assert torch.equal(weight, segmentor.get_parameter(name)), name
        losses = losses_of(twin)
        assert list(losses) == list(expected)
        for name, value in losses.items():
            assert torch.equal(value, expected[name]), name


def test_parts_stand_in_the_order_of_the_design():
    config = dual_config(heads=dict(affinity=dict(type='PAR')))
    children = [name for name, _ in build(config).named_children()]
    parts = ['backbone', 'decode_head', 'cams', 'heads', 'labels', 'terms']
    assert [name for name in children if name in parts] == parts
    for part in ('cams', 'labels', 'terms'):
        names = list(getattr(build(config), part))
        assert names == sorted(names)


@pytest.mark.parametrize('name', ['a.b', 'values', ''])
@pytest.mark.parametrize('kind', ['cams', 'heads', 'labels', 'terms'])
def test_names_that_no_module_can_have_are_refused(kind, name):
    with pytest.raises(ValueError, match=rf'names without dots in model\.{kind}.*{name!r}'):
        build(small_config(**{kind: {name: dict(type='PAR')}}))


def test_evaluation_changes_no_state():
    segmentor = build(dual_config()).eval()
    before = {name: value.clone() for name, value in segmentor.state_dict().items()}
    inputs, samples = random_batch()
    segmentor.loss(inputs, samples)
    segmentor.predict(inputs['view1'], samples)
    after = segmentor.state_dict()
    # Not a number differs from itself.
    assert all(torch.allclose(after[n], v, 0, 0, equal_nan=True) for n, v in before.items())


def test_another_term_or_view_changes_no_crop_and_no_label():
    torch.manual_seed(0)
    segmentor = build(small_config())
    torch.manual_seed(0)
    more = build(small_config(labels=dict(z=dict(type='PixelLabels', cams=('aux',)))))
    more.load_state_dict(segmentor.state_dict())
    assert isinstance(more.labels['z'], PixelLabels)
    inputs, samples = random_batch()
    batch = segmentor.batch(inputs, samples)
    other = more.batch(dict(inputs, strong=torch.randn(2, 3, 32, 32)), samples)
    other.label('z')
    assert torch.equal(other.label('pixel'), batch.label('pixel'))
    crops = [model.terms['ctc'].crops(b)[0] for model, b in ((segmentor, batch), (more, other))]
    assert torch.equal(*crops)
