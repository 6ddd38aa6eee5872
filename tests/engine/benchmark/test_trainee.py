from pathlib import Path

import pytest
import torch

from wsss_plugin.engine.benchmark import Trainee, Workload

CONFIG = Path(__file__).parents[3] / 'configs' / '_base_' / 'models' / 'toco_vit_b.py'


@pytest.fixture(scope='module')
def workload():
    return Workload(
        str(CONFIG), vit='test_vit', size=64, local_size=32, batch_size=2, device='cpu', seed=0
    )


def plain_losses(segmentor, inputs, samples, part):
    with part('main forward'):
        features = segmentor.transformer.forward_tokens(inputs['view1'])
    return {'loss': len(samples) * features.class_token.square().mean()}


def build(workload, variant):
    return Trainee(variant, workload.segmentor(), *workload.batch(20), plain_losses, 'cpu')


@pytest.mark.parametrize('variant', ['package', 'plain'])
def test_an_iteration_trains_a_copy(workload, variant):
    segmentor = workload.segmentor()
    before = segmentor.transformer.trunk.cls_token.clone()
    trainee = Trainee(variant, segmentor, *workload.batch(20), plain_losses, 'cpu')
    trainee.iterate()
    assert torch.equal(segmentor.transformer.trunk.cls_token, before)
    assert not torch.equal(trainee.segmentor.transformer.trunk.cls_token, before)
    assert all(weight.grad is None for weight in trainee.segmentor.parameters())


def test_the_losses_are_those_of_the_variant(workload):
    package, _ = build(workload, 'package').iterate()
    plain, _ = build(workload, 'plain').iterate()
    assert {'loss_cls_final', 'loss_ptc', 'loss_ctc'} <= set(package)
    assert set(plain) == {'loss'}
    assert plain['loss'] > 0


def test_seconds_by_part(workload):
    _, package = build(workload, 'package').iterate()
    assert {'CAM passes', 'refinement', 'contrast passes', 'backward'} <= set(package)
    assert 'CNN branch' not in package
    _, plain = build(workload, 'plain').iterate()
    assert set(plain) == {'main forward', 'losses and labels', 'backward', 'optimiser step'}
    assert all(seconds > 0 for seconds in plain.values())


def test_only_the_plain_variant_writes_the_attention_out(workload):
    for variant, fused in (('package', True), ('plain', False)):
        blocks = build(workload, variant).segmentor.transformer.trunk.blocks
        assert {bool(block.attn.fused_attn) for block in blocks} == {fused}


def test_refuses_an_unknown_variant():
    with pytest.raises(ValueError, match=r"variant in .*'other'"):
        Trainee('other', None, {}, [], dict, 'cpu')
