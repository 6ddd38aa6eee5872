from __future__ import annotations

import copy

import pytest
import torch
from reference_networks import build, cam_config, dual_config, merged, random_batch, small_config
from student_networks import dual_config as students_config
from torch import nn

from wsss_plugin.models.needs import Needs
from wsss_plugin.models.trial_pass import TrialPass

FROZEN = dict(vit=dict(frozen_stages=12))
HEAD = dict(type='CAMHead', reads='out.-1', num_classes=5, pooling='avg')


def refuse(config, message):
    with pytest.raises(ValueError, match=message):
        build(config)


def frozen_config(**changes):
    """A dual branch with a frozen transformer, without the contrasts."""
    config = dual_config(
        backbone=FROZEN,
        labels=dict(token=None, region=None),
        terms=dict(ptc=None, ctc=None, consistency=dict(loss=dict(detach='first'))),
    )
    return merged(config, changes)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (
            dict(cams=dict(aux=dict(in_channels=32))),
            r"model\.cams\.aux to fit.*'inner\.9' \(1, 24, 4, 4\).*24.*in_channels",
        ),
        (
            dict(cams=dict(aux=dict(reads='class'))),
            r"model\.cams\.aux.*'class' \(1, 24\)",
        ),
        (
            dict(decode_head=dict(in_channels=48)),
            r"model\.decode_head to fit what it reads, received 'patch' \(1, 24, 4, 4\)",
        ),
        (
            dict(terms=dict(ptc=dict(reads='class'))),
            r"model\.terms\.ptc to fit.*'class' \(1, 24\): no map \(B, C, h, w\) of patch tokens",
        ),
        (
            dict(terms=dict(ctc=dict(reads='patch'))),
            r"model\.terms\.ctc to fit.*'patch' \(1, 24, 4, 4\): no class token \(B, C\)",
        ),
        (
            dict(terms=dict(ctc=dict(projection_head=dict(in_channels=25)))),
            r"model\.terms\.ctc to fit what it reads, received 'class' \(1, 24\): .*in_channels",
        ),
        (
            dict(terms=dict(tokens=dict(type='ClassificationTerm', reads='patch'))),
            r"model\.terms\.tokens to fit.*'patch'.*no class tokens \(B, K, C\)",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_by_key_and_shape(changes, message):
    refuse(small_config(**changes), message)


def test_an_output_that_a_stock_backbone_has_not():
    cams = dict(final=dict(HEAD, in_channels=64), other=dict(HEAD, reads='out.4', in_channels=64))
    refuse(
        cam_config(cams=cams),
        r"model\.cams\.other to fit.*\['out\.4'\].*out\.<i> with i from -4 to 3",
    )


def test_a_stock_backbone_without_patch_tokens():
    config = cam_config(
        labels=dict(token=dict(type='TokenLabels', cams=('final',), reads='out.-1')),
        terms=dict(ptc=dict(type='PatchTokenContrastTerm', labels='token')),
    )
    refuse(config, r"model\.terms\.ptc: expected the name of a submodule of ResNet.*'patch'")
    build(merged(config, dict(terms=dict(ptc=dict(reads='out.-1')))))


def test_a_head_whose_input_differs():
    head = dict(type='AffinityHead', in_channels=(32, 48), channels=(4, 4), radius=2)
    config = cam_config(
        heads=dict(affinity=dict(head, reads=('layer3', 'layer4'))),
        labels=dict(seeds=dict(type='AlphaLabels', cams=('final',), low_alpha=4, high_alpha=32)),
        terms=dict(affinity=dict(type='AffinityTerm', head='affinity', labels='seeds')),
    )
    config['labels']['seeds']['reads'] = 'layer3'
    refuse(config, r"model\.heads\.affinity to fit.*'layer4' \(1, 64, 2, 2\).*in_channels")
    config['heads']['affinity']['in_channels'] = (32, 64)
    build(config)


@pytest.mark.parametrize(
    ('name', 'term'),
    [
        ('ptc', dict(type='PatchTokenContrastTerm', labels='token')),
        (
            'ctc',
            dict(
                type='ClassTokenContrastTerm',
                labels='region',
                projection_head=dict(type='ProjectionHead', in_channels=24, out_channels=8),
            ),
        ),
        (
            'still',
            dict(
                type='ConsistencyTerm',
                pairs=(('decoder', 'cnn'),),
                loss=dict(type='SemanticConsistencyLoss', detach='second'),
            ),
        ),
    ],
)
def test_a_term_that_can_teach_nothing_trained_is_refused_by_name(name, term):
    config = frozen_config(
        cams=dict(decoder=dict(type='DecoderCAM')),
        labels=dict(
            pixel=dict(cams=((0, ('final',)), (9, ('final', 'decoder')))),
            token=dict(type='TokenLabels', cams=('aux',)),
            region=dict(type='RegionMask', cams=('aux',)),
        ),
        terms={name: term},
    )
    refuse(config, rf'model\.terms\.{name} to teach a part.*frozen.*None or unfreeze')


def test_the_other_side_of_a_consistency_is_taught():
    pair = dict(pairs=(('decoder', 'cnn'),), loss=dict(detach='first'))
    cams = dict(decoder=dict(type='DecoderCAM'))
    steps = ((0, ('final',)), (9, ('final', 'decoder')))
    changes = dict(cams=cams, labels=dict(pixel=dict(cams=steps)), terms=dict(consistency=pair))
    build(frozen_config(**changes))


def test_a_frozen_transformer_leaves_all_to_the_consistency_with_the_cnn():
    segmentor = build(frozen_config()).train()
    calls = []
    segmentor.backbone.vit.trunk.blocks[0].register_forward_hook(
        lambda *call: calls.append(call[-1])
    )
    inputs, samples = random_batch()
    losses = segmentor.loss(inputs['view1'], samples)
    # Once for all terms, and once for each scale of the labels' CAMs.
    assert len(calls) == 1 + len(segmentor.multi_scale['scales'])
    assert not any(tokens.requires_grad for tokens in calls)
    sum(value for name, value in losses.items() if 'consistency' in name).backward()
    reached = {name for name, p in segmentor.named_parameters() if p.grad is not None}
    parts = {name.split('.')[1] for name in reached if name.startswith('backbone.')}
    assert parts == {'cnn', 'modulations'}
    assert segmentor.cams['final'].classifier.weight.grad is None


def test_between_students_too():
    apart = dict(apart=dict(type='DiscrepancyTerm'))
    config = students_config(terms=apart)
    for student in config['students'].values():
        student['backbone']['frozen_stages'] = 2
    refuse(config, r'model\.terms\.apart to teach')
    config['students']['first']['backbone']['frozen_stages'] = 1
    build(config)
    wide = students_config(terms=dict(apart=dict(type='DiscrepancyTerm', reads='out.0')))
    refuse(wide, r"model\.terms\.apart: expected a feature.*'out\.0'")


def test_it_leaves_no_trace():
    state = torch.random.get_rng_state()
    segmentor = build(cam_config()).train()
    before = copy.deepcopy(segmentor.state_dict())
    drawn = torch.random.get_rng_state()
    modes = {name: module.training for name, module in segmentor.named_modules()}
    TrialPass(segmentor, {'cams.final': ('out.-1',)})
    assert {name: module.training for name, module in segmentor.named_modules()} == modes
    assert all(torch.equal(value, before[name]) for name, value in segmentor.state_dict().items())
    assert all(parameter.grad is None for parameter in segmentor.parameters())
    assert torch.equal(torch.random.get_rng_state(), drawn)
    assert not torch.equal(state, drawn)


def test_what_it_says_of_reached_parameters():
    segmentor = build(frozen_config())
    readers = dict(all=('patch', 'inner.9', 'cnn', 'cnn.layer1'))
    trial = TrialPass(segmentor, readers)
    assert not trial.teaches(Needs(features=('patch', 'inner.9')))
    assert trial.teaches(Needs(features=('patch', 'cnn')))
    assert trial.teaches(Needs(raw=('final',)))
    assert trial.teaches(Needs(decoder=True))
    segmentor.cams['final'].requires_grad_(False)
    segmentor.decode_head.requires_grad_(False)
    trial = TrialPass(segmentor, readers)
    assert not trial.teaches(Needs(raw=('final',), logits=('final',), decoder=True))
    assert trial.teaches(Needs(raw=('final', 'cnn')))


def test_images_of_more_bands():
    bands = dict(backbone=dict(in_channels=5))
    assert isinstance(build(cam_config(**bands)).backbone.conv1, nn.Conv2d)
