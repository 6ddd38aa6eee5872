import pytest
import torch

from wsss_plugin.datasets import LoadImageOrRaise
from wsss_plugin.engine.deployment import (
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
    'cam_head.classifier.weight': torch.ones(2),
    'aux_cam_head.classifier.weight': torch.ones(2),
    'cnn_cam_head.classifier.weight': torch.ones(2),
    'projection_head.weight': torch.ones(2),
    'projection_ema.weight': torch.ones(2),
}


def test_keeps_the_segmentation_branch_under_plain_names():
    kept = deployed_weights(_DUAL)
    assert list(kept) == [
        'backbone.blocks.0.weight',
        'decode_head.conv_seg.weight',
        'decode_head.steps',
    ]


def test_single_branch_names_stay():
    weights = {'backbone.norm.bias': torch.ones(1), 'decode_head.x': torch.ones(1)}
    assert list(deployed_weights({**weights, 'cam_head.x': torch.ones(1)})) == list(weights)


def test_names_of_a_wrapped_model_are_those_of_the_model():
    wrapped = {f'module.{name}': weight for name, weight in _DUAL.items()}
    assert list(deployed_weights(wrapped)) == list(deployed_weights(_DUAL))


def test_a_neck_stays_with_its_weights():
    weights = {**_DUAL, 'neck.conv.weight': torch.ones(2)}
    assert 'neck.conv.weight' in deployed_weights(weights)
    model = {
        'backbone': {'type': 'ResNet', 'init_cfg': {'type': 'Pretrained', 'checkpoint': 'x'}},
        'neck': {'type': 'FPN', 'init_cfg': {'type': 'Pretrained', 'checkpoint': 'x'}},
        'decode_head': {'type': 'FPNHead'},
    }
    assert deployed_model(model)['neck'] == {'type': 'FPN'}
    assert 'neck' not in deployed_model({**model, 'neck': None})


@pytest.mark.parametrize('kind', ['LoadImageOrRaise', LoadImageOrRaise])
def test_the_loader_is_one_that_the_toolbox_knows(kind):
    resize = {'type': 'Resize', 'scale': (32, 32)}
    loader = with_toolbox_loader({'pipeline': [{'type': kind}, resize]})
    expected = {'type': 'LoadImageFromFile', 'imdecode_backend': 'pillow'}
    assert loader == {'pipeline': [expected, resize]}
    own = with_toolbox_loader([{'type': kind, 'imdecode_backend': 'cv2', 'to_float32': True}])
    assert own == [{'type': 'LoadImageFromFile', 'imdecode_backend': 'cv2', 'to_float32': True}]


def test_half_precision_spares_integers():
    kept = deployed_weights(_DUAL, half=True)
    assert kept['decode_head.conv_seg.weight'].dtype == torch.float16
    assert kept['decode_head.steps'].dtype == torch.int64


@pytest.mark.parametrize('missing', ['backbone.', 'decode_head.'])
def test_refuses_a_checkpoint_without_the_branch(missing):
    weights = {name: value for name, value in _DUAL.items() if not name.startswith(missing)}
    with pytest.raises(ValueError, match=missing):
        deployed_weights(weights)


def test_model_config_needs_no_pretrained_weights_and_no_views():
    trained = {
        'type': 'DualBranchSegmentor',
        'data_preprocessor': {'type': 'MultiViewDataPreProcessor', 'mean': [1, 2, 3]},
        'backbone': {
            'type': 'DualBranchBackbone',
            'vit': {'type': 'TimmVisionTransformer', 'model': 'x', 'pretrained': True},
            'cnn': {'type': 'ResNet'},
        },
        'decode_head': {'type': 'ConvMLPHead', 'num_classes': 3},
        'cam_head': {'type': 'CAMHead'},
        'test_cfg': {'cam': True},
    }
    model = deployed_model(trained)
    assert model['type'] == 'EncoderDecoder'
    assert model['backbone'] == {'type': 'TimmVisionTransformer', 'model': 'x'}
    assert model['data_preprocessor'] == {'type': 'SegDataPreProcessor', 'mean': [1, 2, 3]}
    assert model['test_cfg'] == {'mode': 'whole'}
    assert 'cam_head' not in model
    assert trained['test_cfg'] == {'cam': True}


def test_a_class_prior_is_left_out_with_a_warning():
    trained = {
        'backbone': {'type': 'TimmVisionTransformer'},
        'decode_head': {'type': 'ConvMLPHead'},
        'test_cfg': {'mode': 'whole', 'class_prior': 'final'},
    }
    with pytest.warns(UserWarning, match='class_prior=None'):
        assert deployed_model(trained)['test_cfg'] == {'mode': 'whole'}
