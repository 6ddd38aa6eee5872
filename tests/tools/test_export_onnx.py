"""tools/export_onnx.py: the file predicts as the segmentor does, at any size."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from wsss_plugin.errors import ConfigError

onnxruntime = pytest.importorskip('onnxruntime')
onnx = pytest.importorskip('onnx')

_CONFIG = Path(__file__).parents[2] / 'configs' / 'dual_vit_r18_shapes.py'
_SIZES = ['--sizes', '64x96', '75x50']


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """A training's checkpoint of random weights, and the segmentor."""
    init_default_scope('mmseg')
    torch.manual_seed(0)
    segmentor = MODELS.build(Config.fromfile(_CONFIG).model).eval()
    path = tmp_path_factory.mktemp('trained') / 'iter_1.pth'
    meta = {'dataset_meta': {'classes': tuple('abcdefg'), 'palette': [[n] * 3 for n in range(7)]}}
    torch.save({'state_dict': segmentor.state_dict(), 'meta': meta}, path)
    return path, segmentor


def test_onnxruntime_predicts_what_the_trained_segmentor_does(tool, trained, tmp_path, capsys):
    path, segmentor = trained
    out = tmp_path / 'model.onnx'
    tool('export_onnx').main([str(_CONFIG), str(path), '--out', str(out), *_SIZES])
    said = capsys.readouterr().out
    assert 'at 64x96: probabilities differ' in said
    assert 'at 75x50: probabilities differ' in said
    session = onnxruntime.InferenceSession(str(out), providers=['CPUExecutionProvider'])
    settings = segmentor.data_preprocessor
    for height, width in ((96, 96), (41, 130)):
        pixels = np.random.default_rng(0).integers(0, 256, (1, 3, height, width)).astype(np.float32)
        probabilities, label = session.run(None, {'image': pixels})
        normalised = (torch.from_numpy(pixels) - settings.mean) / settings.std
        metas = [{'img_shape': (height, width), 'ori_shape': (height, width)}]
        with torch.no_grad():
            expected = segmentor.encode_decode(normalised, metas).softmax(dim=1)
        np.testing.assert_allclose(probabilities, expected.numpy(), atol=1e-5)
        assert np.array_equal(label, probabilities.argmax(axis=1))
    about = {entry.key: entry.value for entry in onnx.load(str(out)).metadata_props}
    assert json.loads(about['classes']) == list('abcdefg')
    assert json.loads(about['palette'])[6] == [6, 6, 6]
    assert about['channels'] == 'red, green, blue'


def test_a_published_model_is_exported_alike(tool, trained, tmp_path):
    path, segmentor = trained
    tool('publish_model').main(
        [str(path), str(tmp_path / 'small.pth'), '--fp16', '--config', str(_CONFIG)]
    )
    (small,) = tmp_path.glob('small-*.pth')
    out = tmp_path / 'model.onnx'
    model = [str(small.with_suffix('.py')), str(small)]
    tool('export_onnx').main([*model, '--out', str(out), '--sizes', '56x48'])
    pixels = np.random.default_rng(1).integers(0, 256, (1, 3, 48, 56)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(out), providers=['CPUExecutionProvider'])
    (probabilities,) = session.run(['probabilities'], {'image': pixels})
    settings = segmentor.data_preprocessor
    normalised = (torch.from_numpy(pixels) - settings.mean) / settings.std
    with torch.no_grad():
        logits = segmentor.encode_decode(normalised, [{'img_shape': (48, 56)}])
    # The weights went through float16.
    np.testing.assert_allclose(probabilities, logits.softmax(dim=1).numpy(), atol=2e-3)


def test_class_tokens_and_clusters_are_exported_alike(tool, tmp_path, capsys):
    config = _CONFIG.parent / 'clustercam' / 'shapes.py'
    init_default_scope('mmseg')
    torch.manual_seed(0)
    segmentor = MODELS.build(Config.fromfile(config).model)
    for name, weight in segmentor.named_parameters():
        # Small ones would hide which patches attend to each other.
        if name.endswith(('qkv.weight', 'patch_proj.weight', 'pos_embed')):
            torch.nn.init.normal_(weight, std=0.3)
    path = tmp_path / 'iter_1.pth'
    meta = {'dataset_meta': {'classes': tuple('abcdefg')}}
    torch.save({'state_dict': segmentor.state_dict(), 'meta': meta}, path)
    # The grid of the position embedding itself, a larger one and an odd one.
    sizes = ['--sizes', '96x96', '64x136', '75x50']
    tool('export_onnx').main([str(config), str(path), '--out', str(tmp_path / 'c.onnx'), *sizes])
    # Differences beyond a thousandth are an error of the tool.
    assert capsys.readouterr().out.count('probabilities differ by at most') == 3


def test_a_file_that_predicts_otherwise_is_not_written(tool, trained, tmp_path):
    out = tmp_path / 'model.onnx'
    # What a test pads is no part of the file.
    padding = 'model.data_preprocessor.test_cfg.size_divisor=64'
    with pytest.raises(ConfigError, match=r'data_preprocessor\.test_cfg'):
        tool('export_onnx').main(
            [str(_CONFIG), str(trained[0]), '--out', str(out), *_SIZES, '--cfg-options', padding]
        )
    assert list(tmp_path.iterdir()) == []


def test_a_size_is_height_and_width(tool, capsys):
    with pytest.raises(SystemExit):
        tool('export_onnx').parse_args(['c', 'p', '--out', 'o', '--sizes', '64'])
    assert 'such as 256x320, received 64' in capsys.readouterr().err
