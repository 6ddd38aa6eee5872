import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.apis import MMSegInferencer
from mmseg.registry import MODELS
from PIL import Image

import wsss_plugin.models  # noqa: F401  (fills the registry)
from wsss_plugin.datasets import ShapesTagDataset

_CONFIGS = Path(__file__).parents[2] / 'configs'
_VIT = {
    'type': 'TimmVisionTransformer',
    'model_name': 'vit_tiny_patch16_224',
    'model_args': {'img_size': 32, 'embed_dim': 24, 'depth': 3, 'num_heads': 3},
}
_DECODE_HEAD = {
    'type': 'ConvMLPHead',
    'in_channels': 24,
    'num_classes': 3,
}
_MODEL = {
    'type': 'WeakSegmentor',
    'data_preprocessor': {'type': 'MultiViewDataPreProcessor', 'size': (32, 32)},
    'backbone': {'type': 'DualBranchBackbone', 'vit': _VIT, 'cnn': {'type': 'ResNet', 'depth': 18}},
    'decode_head': _DECODE_HEAD,
    'cams': {'final': {'type': 'CAMHead', 'in_channels': 24}},
    'test_cfg': {'mode': 'whole', 'cam': True},
}


@pytest.fixture
def trained(tmp_path):
    """A checkpoint with the branches of a dual-branch training and its deployed twin."""
    init_default_scope('mmseg')
    torch.manual_seed(0)
    vit, head = MODELS.build(_VIT), MODELS.build(_DECODE_HEAD)
    weights = {f'backbone.vit.{name}': value for name, value in vit.state_dict().items()}
    weights.update({f'decode_head.{name}': value for name, value in head.state_dict().items()})
    weights['backbone.cnn.conv1.weight'] = torch.ones(1000)
    weights['terms.ctc.teacher.weight'] = torch.ones(1000)
    path = tmp_path / 'iter_8.pth'
    meta = {'cfg': Config({'model': _MODEL, 'default_scope': 'mmseg'}).pretty_text}
    meta['dataset_meta'] = {'classes': ('background', 'a', 'b'), 'palette': [[0, 0, 0]] * 3}
    torch.save({'state_dict': weights, 'meta': meta, 'optimizer': {'state': [1]}}, path)
    return path, vit.eval(), head.eval()


def test_deployed_checkpoint_predicts_the_same_from_its_config(tool, trained, tmp_path, capsys):
    path, vit, head = trained
    tool('publish_model').main([str(path), str(tmp_path / 'small.pth'), '--config'])
    (small,) = tmp_path.glob('small-*.pth')
    assert small.stem == f'small-{hashlib.sha256(small.read_bytes()).hexdigest()[:8]}'
    checkpoint = torch.load(small, weights_only=True)
    assert checkpoint['meta']['dataset_meta']['classes'] == ('background', 'a', 'b')
    assert 'deployed' in capsys.readouterr().out
    model = MODELS.build(Config.fromfile(small.with_suffix('.py')).model).eval()
    assert type(model).__name__ == 'EncoderDecoder'
    model.load_state_dict(checkpoint['state_dict'], strict=True)
    image = torch.randn(1, 3, 48, 32)
    with torch.no_grad():
        torch.testing.assert_close(model(image, mode='tensor'), head(vit(image)))


def test_a_neck_is_deployed_too(tool, tmp_path):
    init_default_scope('mmseg')
    widths = [64, 128, 256, 512]
    model = dict(
        type='EncoderDecoder',
        backbone=dict(type='ResNet', depth=18, strides=(1, 2, 1, 1), dilations=(1, 1, 2, 4)),
        neck=dict(type='ActivationModulationNeck', in_channels=widths),
        decode_head=dict(type='FCNHead', in_channels=512, in_index=3, channels=8, num_classes=3),
    )
    trained = MODELS.build(model).eval()
    path = tmp_path / 'iter_1.pth'
    meta = {'cfg': Config({'model': model}).pretty_text}
    torch.save({'state_dict': trained.state_dict(), 'meta': meta}, path)
    tool('publish_model').main([str(path), str(tmp_path / 'small.pth'), '--config'])
    (small,) = tmp_path.glob('small-*.pth')
    deployed = MODELS.build(Config.fromfile(small.with_suffix('.py')).model).eval()
    deployed.load_state_dict(torch.load(small, weights_only=True)['state_dict'], strict=True)
    image = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(deployed(image, mode='tensor'), trained(image, mode='tensor'))


def test_the_toolbox_s_inferencer_takes_the_published_config(tool, tmp_path):
    init_default_scope('mmseg')
    config = Config.fromfile(_CONFIGS / 'dual_vit_r18_shapes.py')
    config.visualizer.name = tmp_path.name
    path = tmp_path / 'iter_1.pth'
    meta = {'cfg': config.pretty_text}
    meta['dataset_meta'] = {'classes': ('background', 'a'), 'palette': [[0, 0, 0]] * 2}
    torch.save({'state_dict': MODELS.build(config.model).state_dict(), 'meta': meta}, path)
    tool('publish_model').main([str(path), str(tmp_path / 'small.pth'), '--config'])
    (small,) = tmp_path.glob('small-*.pth')
    inferencer = MMSegInferencer(str(small.with_suffix('.py')), str(small), device='cpu')
    image = np.random.default_rng(0).integers(0, 256, (40, 56, 3), dtype=np.uint8)
    Image.fromarray(image).save(tmp_path / 'image.png')
    from_file = inferencer(str(tmp_path / 'image.png'), show=False)['predictions']
    assert from_file.shape == (40, 56)
    from_array = inferencer(image[..., ::-1], show=False)['predictions']
    assert np.array_equal(from_array, from_file)


def test_the_inferencer_draws_the_model_s_classes_and_not_those_of_cityscapes(tool, tmp_path):
    init_default_scope('mmseg')
    config = Config.fromfile(_CONFIGS / 'dual_vit_r18_shapes.py')
    config.visualizer.name = tmp_path.name
    path = tmp_path / 'iter_1.pth'
    # As another tool may have saved it, without the names of the classes.
    meta = {'cfg': config.pretty_text}
    torch.save({'state_dict': MODELS.build(config.model).state_dict(), 'meta': meta}, path)
    tool('publish_model').main([str(path), str(tmp_path / 'small.pth'), '--config'])
    (small,) = tmp_path.glob('small-*.pth')
    inferencer = MMSegInferencer(str(small.with_suffix('.py')), str(small), device='cpu')
    image = np.full((24, 24, 3), 128, np.uint8)
    answer = inferencer(image, return_vis=True)
    meta = inferencer.visualizer.dataset_meta
    assert tuple(meta['classes']) == ShapesTagDataset.METAINFO['classes']
    palette = np.array(meta['palette'])
    assert np.array_equal(palette, ShapesTagDataset.METAINFO['palette'])
    # Opacity 0.8 of the colour over the image, which the names of classes hide in parts.
    mixed = 0.8 * palette[answer['predictions']] + 0.2 * image
    drawn = np.abs(answer['visualization'] - mixed).max(axis=-1)
    assert (drawn <= 1).mean() > 0.3


@pytest.mark.parametrize('name', ['dual_vit_r18_shapes', 'ablations/shapes/toco_shapes'])
def test_segmentors_deploy_with_identical_logits(tool, tmp_path, capsys, name):
    init_default_scope('mmseg')
    config = Config.fromfile(_CONFIGS / f'{name}.py')
    trained = MODELS.build(config.model).eval()
    path = tmp_path / 'iter_1.pth'
    torch.save({'state_dict': trained.state_dict(), 'meta': {'cfg': config.pretty_text}}, path)
    tool('publish_model').main([str(path), str(tmp_path / 'small.pth'), '--config'])
    (small,) = tmp_path.glob('small-*.pth')
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(':')[0] for line in lines] == ['training', 'deployed', 'config']
    assert small.stat().st_size < 0.9 * path.stat().st_size
    deployed = MODELS.build(Config.fromfile(small.with_suffix('.py')).model).eval()
    weights = torch.load(small, weights_only=True)['state_dict']
    deployed.load_state_dict(weights, strict=True)
    assert {weight.partition('.')[0] for weight in weights} == {'backbone', 'decode_head'}
    assert not [weight for weight in weights if 'cnn' in weight]
    for line, file, state in zip(
        lines, (path, small), (trained.state_dict(), weights), strict=False
    ):
        count = sum(weight.numel() for weight in state.values()) / 1e6
        assert line.endswith(f'{file} {count:.2f} M values, {file.stat().st_size / 1e6:.1f} MB')
    image = torch.randn(2, 3, 64, 88)
    meta = dict(ori_shape=(64, 88), img_shape=(64, 88), pad_shape=(64, 88), padding_size=[0] * 4)
    with torch.no_grad():
        expected, received = (model.inference(image, [meta] * 2) for model in (trained, deployed))
    assert expected.shape == (2, config.model.decode_head.num_classes, 64, 88)
    assert torch.equal(received, expected)


def test_half_precision_halves_the_file(tool, trained, tmp_path):
    main = tool('publish_model').main
    main([str(trained[0]), str(tmp_path / 'full.pth')])
    main([str(trained[0]), str(tmp_path / 'half.pth'), '--fp16'])
    (full,), (half,) = tmp_path.glob('full-*.pth'), tmp_path.glob('half-*.pth')
    assert half.stat().st_size < 0.6 * full.stat().st_size


def test_a_checkpoint_of_version_0_1_is_published(tool, trained, tmp_path):
    checkpoint = torch.load(trained[0], weights_only=True)
    weights = checkpoint['state_dict']
    weights['cam_head.classifier.weight'] = torch.ones(1000)
    weights['projection_ema.weight'] = weights.pop('terms.ctc.teacher.weight')
    torch.save(checkpoint, trained[0])
    tool('publish_model').main([str(trained[0]), str(tmp_path / 'small.pth')])
    (small,) = tmp_path.glob('small-*.pth')
    names = torch.load(small, weights_only=True)['state_dict']
    assert {name.split('.')[0] for name in names} == {'backbone', 'decode_head'}


def test_a_model_that_predicts_by_cam_is_refused(tool, trained, tmp_path):
    config = Config({'model': {**_MODEL, 'decode_head': None}, 'default_scope': 'mmseg'})
    config.dump(tmp_path / 'config.py')
    with pytest.raises(ValueError, match='a decode head, which segments images without tags'):
        tool('publish_model').main(
            [str(trained[0]), str(tmp_path / 'x.pth'), '--config', str(tmp_path / 'config.py')]
        )


@pytest.mark.parametrize('bare', [False, True])
def test_config_is_asked_for_where_the_checkpoint_has_none(tool, trained, tmp_path, bare):
    checkpoint = torch.load(trained[0], weights_only=True)
    del checkpoint['meta']['cfg']
    torch.save(checkpoint['state_dict'] if bare else checkpoint, trained[0])
    with pytest.raises(KeyError, match='--config CONFIG'):
        tool('publish_model').main([str(trained[0]), str(tmp_path / 'x.pth'), '--config'])


def test_the_checkpoint_is_read_once(tool, trained, tmp_path, monkeypatch):
    module, files = tool('publish_model'), []
    load = module.CheckpointLoader.load_checkpoint

    def count(file, **options):
        files.append(file)
        return load(file, **options)

    monkeypatch.setattr(module.CheckpointLoader, 'load_checkpoint', count)
    module.main([str(trained[0]), str(tmp_path / 'x.pth'), '--config'])
    assert files == [str(trained[0])]
