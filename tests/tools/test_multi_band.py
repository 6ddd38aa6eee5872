"""The config of docs/multi_band.md trains, and demo and ONNX take what it has trained."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS
from PIL import Image

from wsss_plugin.errors import DataError

tifffile = pytest.importorskip('tifffile')
_PAGE = Path(__file__).parents[2] / 'docs' / 'multi_band.md'


@pytest.fixture
def scenes(tmp_path):
    """Four scenes of five bands of 16 bits, their tags, and the page's config."""
    images = tmp_path / 'data' / 'scenes' / 'images'
    images.mkdir(parents=True)
    random = np.random.default_rng(0)
    for name in 'abcd':
        image = random.integers(0, 12000, (40, 52, 5), dtype=np.uint16)
        tifffile.imwrite(
            images / f'{name}.tif', image, photometric='minisblack', planarconfig='contig'
        )
    (images.parent / 'tags.csv').write_text('image,tags\na,water\nb,forest\nc,water;forest\nd,\n')
    (config,) = re.findall(r'```python\n# bands\.py\n(.*?)```', _PAGE.read_text(), re.DOTALL)
    file = tmp_path / 'bands.py'
    file.write_text(config)
    return file


@pytest.mark.training
@pytest.mark.filterwarnings('ignore:expected masks for validation')
def test_bands_train_and_are_predicted(tool, scenes, small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    read = [one for one in small if not one.startswith(('image_size', 'scale_steps'))]
    options = [*read, 'max_iters=2', f'experiment_name={tmp_path.name}']
    options.append(f'visualizer.name={tmp_path.name}')
    tool('train').main(
        [str(scenes), '--work-dir', str(tmp_path / 'work'), '--cfg-options', *options]
    )
    checkpoint = tmp_path / 'work' / 'iter_2.pth'
    weights = torch.load(checkpoint, weights_only=False)['state_dict']
    assert weights['backbone.cnn.conv1.weight'].shape[1] == 5
    assert weights['backbone.vit.trunk.patch_embed.proj.weight'].shape[1] == 5
    sized = ['--cfg-options', *[one for one in small if one.startswith('model')]]
    model = [str(scenes), str(checkpoint)]
    assert not tool('demo').main(
        [*model, 'data/scenes/images', '--out', 'masks', '--window', '32', *sized]
    )
    results = json.loads(Path('masks/results.json').read_text())
    assert sorted(results['images']) == list('abcd')
    assert np.asarray(Image.open('masks/masks/a.png')).shape == (40, 52)
    assert np.asarray(Image.open('masks/overlays/a.jpg')).shape[:2][1] >= 52
    pytest.importorskip('onnxruntime')
    # Also of the published model, whose preprocessor no toolbox has.
    tool('publish_model').main([str(checkpoint), 'small.pth', '--config'])
    (published,) = tmp_path.glob('small-*.pth')
    model = [str(published.with_suffix('.py')), str(published)]
    tool('export_onnx').main([*model, '--out', 'model.onnx', '--sizes', '48x40'])
    session = pytest.importorskip('onnxruntime').InferenceSession('model.onnx')
    assert session.get_inputs()[0].shape[1] == 5


def test_without_value_range_16_bits_are_refused(scenes, monkeypatch, tmp_path):
    init_default_scope('mmseg')
    monkeypatch.chdir(tmp_path)
    config = Config.fromfile(scenes)
    dataset = config.train_dataloader.dataset
    sample = DATASETS.build(dataset)[0]
    view = sample['inputs']['view1']
    assert view.shape == (5, 96, 96)
    assert view.dtype == torch.float32
    assert 0 <= view.min() < view.max() <= 255
    del dataset.pipeline[0]['value_range']
    with pytest.raises(DataError, match=r'a\.tif: expected bands of 8 bits, received uint16'):
        DATASETS.build(dataset)[0]
