import copy

import pytest
import torch
from mmengine.config import Config

from wsss_plugin.datasets import LoadImageOrRaise, ShapesTagDataset
from wsss_plugin.engine.deployment import (
    deployed_meta,
    deployed_model,
    deployed_weights,
    with_toolbox_loader,
)

_DUAL = {
    'backbone.vit.blocks.0.weight': torch.ones(2),
    'backbone.cnn.conv1.weight': torch.ones(2),
    'backbone.modulations.0.weight': torch.ones(2),
    'backbone.third.weight': torch.ones(2),
    'decode_head.conv_seg.weight': torch.ones(2),
    'decode_head.steps': torch.tensor(3),
    'cams.final.classifier.weight': torch.ones(2),
    'cams.cnn.classifier.weight': torch.ones(2),
    'terms.ctc.projection_head.weight': torch.ones(2),
}
_MODEL = {
    'type': 'WeakSegmentor',
    'data_preprocessor': {'type': 'MultiViewDataPreProcessor', 'mean': [1, 2, 3]},
    'backbone': {
        'type': 'DualBranchBackbone',
        'vit': {'type': 'TimmVisionTransformer', 'model_name': 'x', 'pretrained': True},
        'cnn': {'type': 'ResNet'},
    },
    'decode_head': {'type': 'ConvMLPHead', 'num_classes': 3},
    'cams': {'final': {'type': 'CAMHead'}},
    'test_cfg': {'cam': True},
}
_SINGLE = {**_MODEL, 'backbone': _MODEL['backbone']['vit']}


def test_keeps_the_segmentation_branch_under_plain_names():
    kept = deployed_weights(_DUAL, _MODEL)
    assert list(kept) == [
        'backbone.blocks.0.weight',
        'decode_head.conv_seg.weight',
        'decode_head.steps',
    ]


def test_single_branch_names_stay():
    weights = {'backbone.norm.bias': torch.ones(1), 'decode_head.x': torch.ones(1)}
    given = {**weights, 'cams.final.x': torch.ones(1)}
    assert list(deployed_weights(given, _SINGLE)) == list(weights)


def test_names_of_a_wrapped_model_are_those_of_the_model():
    wrapped = {f'module.{name}': weight for name, weight in _DUAL.items()}
    assert list(deployed_weights(wrapped, _MODEL)) == list(deployed_weights(_DUAL, _MODEL))


def test_a_segmentor_of_the_toolbox_stays_with_its_neck():
    weights = {'backbone.x': torch.ones(2), 'neck.conv.weight': torch.ones(2)}
    pretrained = {'init_cfg': {'type': 'Pretrained', 'checkpoint': 'x'}}
    model = {
        'type': 'EncoderDecoder',
        'backbone': {'type': 'ResNet', **pretrained},
        'neck': {'type': 'FPN', **pretrained},
    }
    auxiliary = {'auxiliary_head.x': torch.ones(2)}
    assert deployed_weights({**weights, **auxiliary}, model) == weights
    kept = {'type': 'EncoderDecoder', 'backbone': {'type': 'ResNet'}, 'neck': {'type': 'FPN'}}
    assert deployed_model({**model, 'auxiliary_head': {'type': 'FCNHead'}}) == kept
    assert deployed_model({**model, 'neck': None})['backbone'] == {'type': 'ResNet'}


def test_weights_of_version_0_1_are_known():
    old = {'decode_head.x': torch.ones(1), 'backbone.vit.norm': torch.ones(1)}
    old['cam_head.classifier.weight'] = torch.ones(1)
    assert list(deployed_weights(old, _MODEL)) == ['backbone.norm', 'decode_head.x']


@pytest.mark.parametrize('kind', ['LoadImageOrRaise', LoadImageOrRaise])
def test_the_loader_is_one_that_the_toolbox_knows(kind):
    resize = {'type': 'Resize', 'scale': (32, 32)}
    loader = with_toolbox_loader({'pipeline': [{'type': kind}, resize]})
    expected = {'type': 'LoadImageFromFile', 'imdecode_backend': 'pillow'}
    assert loader == {'pipeline': [expected, resize]}
    own = with_toolbox_loader([{'type': kind, 'imdecode_backend': 'cv2', 'to_float32': True}])
    assert own == [{'type': 'LoadImageFromFile', 'imdecode_backend': 'cv2', 'to_float32': True}]


def test_half_precision_spares_integers():
    kept = deployed_weights(_DUAL, _MODEL, half=True)
    assert kept['decode_head.conv_seg.weight'].dtype == torch.float16
    assert kept['decode_head.steps'].dtype == torch.int64


@pytest.mark.parametrize('missing', ['backbone.vit.', 'decode_head.'])
def test_refuses_a_checkpoint_without_the_branch(missing):
    weights = {name: value for name, value in _DUAL.items() if not name.startswith(missing)}
    with pytest.raises(ValueError, match=missing):
        deployed_weights(weights, _MODEL)


def test_model_config_needs_no_pretrained_weights_and_no_views():
    trained = copy.deepcopy(_MODEL)
    model = deployed_model(trained)
    assert model['type'] == 'EncoderDecoder'
    vit = {'type': 'TimmVisionTransformer', 'model_name': 'x', 'inner_blocks': ()}
    assert model['backbone'] == vit
    assert model['data_preprocessor'] == {'type': 'SegDataPreProcessor', 'mean': [1, 2, 3]}
    assert model['test_cfg'] == {'mode': 'whole'}
    assert 'cams' not in model
    assert trained == _MODEL


def test_inner_features_of_the_decode_head_are_outputs_of_the_deployed_backbone():
    model = deployed_model({**_MODEL, 'decode_reads': ('inner.2', 'patch')})
    assert model['backbone']['inner_blocks'] == (2,)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'decode_head': None}, 'without tags'),
        ({'decode_reads': 'cnn'}, 'the transformer alone'),
        ({'decode_reads': ('patch', 'inner.2')}, "then 'patch'"),
    ],
)
def test_what_cannot_be_deployed_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        deployed_model({**_MODEL, **change})


def test_a_class_prior_is_left_out_with_a_warning():
    trained = {**_SINGLE, 'test_cfg': {'mode': 'whole', 'class_prior': 'final'}}
    with pytest.warns(UserWarning, match='class_prior=None'):
        assert deployed_model(trained)['test_cfg'] == {'mode': 'whole'}


_SHAPES = {'test_dataloader': {'dataset': {'type': 'ShapesTagDataset'}}}


@pytest.mark.parametrize(
    ('config', 'trained', 'number', 'classes', 'colour'),
    [
        # The checkpoint knows best, a data set is asked next, and numbers are better than nothing.
        (
            _SHAPES,
            {'classes': ('background', 'a'), 'palette': [[0, 0, 0], [9, 8, 7]]},
            2,
            'a',
            [9, 8, 7],
        ),
        (_SHAPES, {'classes': ['background', 'a'], 'palette': [[0, 0, 0]]}, 2, 'a', [0, 0, 255]),
        (_SHAPES, {}, 7, ShapesTagDataset.METAINFO['classes'][1], None),
        (_SHAPES, {}, 3, 'class 1', [0, 0, 255]),
        ({}, {}, 3, 'class 1', [0, 0, 255]),
    ],
)
def test_classes_have_names_and_colours(config, trained, number, classes, colour):
    meta = deployed_meta(Config(config), trained, number)
    assert meta['classes'][:2] == ('background', classes)
    assert len(meta['classes']) == len(meta['palette']) == number
    shown = list(ShapesTagDataset.METAINFO['palette'][1]) if colour is None else colour
    assert meta['palette'][1] == shown
