import pytest
import torch

from wsss_plugin.engine.deployment import deployed_model, deployed_weights

_DUAL = {
    'backbone.vit.blocks.0.weight': torch.ones(2),
    'backbone.cnn.conv1.weight': torch.ones(2),
    'backbone.modulations.0.weight': torch.ones(2),
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
