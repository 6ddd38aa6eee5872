import itertools
from functools import partial
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from wsss_plugin.engine.benchmark import PartTimer, Trainee, Workload

CONFIG = Path(__file__).parents[3] / 'configs' / '_base_' / 'models' / 'toco_vit_b.py'
PARTS = [
    'main view',
    'CAM passes',
    'labels.pixel',
    'labels.region',
    'labels.token',
    'terms.cls',
    'terms.ctc',
    'terms.ptc',
    'terms.seg',
    'the rest',
    'backward',
    'optimiser step',
]


@pytest.fixture(scope='module')
def workload():
    return Workload(
        str(CONFIG), vit='test_vit', size=64, local_size=32, batch_size=2, device='cpu', seed=0
    )


def plain_losses(segmentor, inputs, samples, part):
    with part('main view'):
        features = segmentor.backbone.forward_features(inputs['view1'], ['class'])
    return {'loss': len(samples) * features['class'].square().mean()}


def build(workload, variant):
    segmentor = workload.segmentor()
    return Trainee(variant, segmentor, *workload.batch(segmentor), plain_losses, 'cpu')


@pytest.mark.parametrize('variant', ['package', 'plain'])
def test_an_iteration_trains_a_copy(workload, variant):
    segmentor = workload.segmentor()
    before = segmentor.backbone.trunk.cls_token.clone()
    batch = workload.batch(segmentor)
    trainee = Trainee(variant, segmentor, *batch, plain_losses, 'cpu')
    trainee.iterate()
    assert torch.equal(segmentor.backbone.trunk.cls_token, before)
    assert not torch.equal(trainee.segmentor.backbone.trunk.cls_token, before)
    assert all(weight.grad is None for weight in trainee.segmentor.parameters())


def test_the_losses_are_those_of_the_variant(workload):
    package, _ = build(workload, 'package').iterate()
    plain, _ = build(workload, 'plain').iterate()
    segmentor = workload.segmentor()
    inputs, samples = workload.batch(segmentor)
    losses = segmentor.loss(inputs, samples)
    expected = {name: loss.item() for name, loss in losses.items() if name.startswith('loss')}
    assert {'loss_cls_final', 'loss_ptc', 'loss_ctc'} <= set(expected)
    assert package == pytest.approx(expected, rel=1e-4)
    features = workload.segmentor().backbone.forward_features(inputs['view1'], ['class'])
    assert plain == pytest.approx({'loss': 2 * features['class'].square().mean().item()}, rel=1e-4)


@pytest.mark.parametrize(
    ('variant', 'parts'),
    [('package', PARTS), ('plain', ['main view', 'the rest', 'backward', 'optimiser step'])],
)
def test_seconds_by_part(workload, variant, parts):
    trainee, looks = build(workload, variant), itertools.count()
    # A second passes between two looks at the clock.
    trainee.timer = PartTimer('cpu', clock=lambda: float(next(looks)))
    _, first = trainee.iterate()
    seen = next(looks)
    _, second = trainee.iterate()
    assert list(first) == parts
    assert first == second
    assert first['backward'] == first['optimiser step'] == 1
    # Nothing counts twice or not at all, but for the two steps from one part to the next.
    assert sum(first.values()) == seen - 1 - 2
    assert 'batch' not in vars(trainee.segmentor)


def test_a_new_part_is_a_row_under_its_name(tmp_path):
    config = tmp_path / 'energy.py'
    config.write_text(
        f"_base_ = '{CONFIG}'\n"
        "model = dict(terms=dict(ptc=None, smooth=dict(type='EnergyTerm', start=0.5)))\n"
    )
    trainee = build(Workload(str(config), 'test_vit', 64, 32, 2, 'cpu', 0), 'package')
    _, package = trainee.iterate()
    gone = {'terms.ptc', 'labels.token'}
    assert set(package) == {*PARTS, 'terms.smooth'} - gone


def products_of(workload, losses):
    segmentor = workload.segmentor()
    batch = workload.batch(segmentor)
    trainee = Trainee('plain', segmentor, *batch, lambda model, *_: losses(model), 'cpu')
    products = trainee.products()
    assert all(weight.grad is None for weight in trainee.segmentor.parameters())
    return products


def test_products_are_those_of_the_formulas(workload):
    """A product of matrices forward is two of its size backward."""

    def classify(segmentor):
        maps = torch.ones(1, 64, 2, 2, requires_grad=True)
        return {'loss': segmentor.cams['final'].classifier(maps).sum()}

    classes = Config.fromfile(CONFIG).model.decode_head.num_classes - 1
    assert products_of(workload, classify) == 3 * 2 * 64 * classes * 4


def test_attention_counts_whichever_kernel_computes_it(workload):
    def attend(fused, segmentor):
        block = segmentor.backbone.trunk.blocks[0]
        block.attn.fused_attn = fused
        return {'loss': block(torch.ones(1, 5, 64)).sum()}

    found = {products_of(workload, partial(attend, fused)) for fused in (True, False)}
    hidden = workload.segmentor().backbone.trunk.blocks[0].mlp.fc1.out_features
    # Five tokens of 64 numbers: three projections, two products, one projection, two layers.
    expected = 5 * 64 * (3 * 64 + 2 * 5 + 64 + 2 * hidden)
    assert found == {3 * 2 * expected}


def test_only_the_plain_variant_writes_the_attention_out(workload):
    for variant, fused in (('package', True), ('plain', False)):
        blocks = build(workload, variant).segmentor.backbone.trunk.blocks
        assert {bool(block.attn.fused_attn) for block in blocks} == {fused}


def test_refuses_an_unknown_variant():
    with pytest.raises(ValueError, match=r"variant in .*'other'"):
        Trainee('other', None, {}, [], dict, 'cpu')
