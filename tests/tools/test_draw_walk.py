from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from PIL import Image

from wsss_plugin.engine.walk_pictures import WalkPictures


@pytest.fixture
def walked(tool, tmp_path, monkeypatch):
    """The tool with a walk that is known, of images of 20 x 24 pixels."""
    module = tool('draw_walk')
    path = tmp_path / 'a.png'
    Image.fromarray(np.zeros((40, 48, 3), np.uint8)).save(path)
    sample = SegDataSample(metainfo=dict(img_path=str(path)))
    sample.gt_sem_seg = PixelData(data=torch.ones(1, 40, 48, dtype=torch.long))
    model = SimpleNamespace(
        dataset_meta=dict(classes=('background', 'cat')),
        data_preprocessor=lambda data, _: data,
        batch=lambda *_: None,
    )
    item = dict(inputs=torch.zeros(1, 3, 20, 24), data_samples=[sample])
    monkeypatch.setattr(module, 'load_config', lambda *_, **__: None)
    monkeypatch.setattr(module, 'load_segmentor', lambda *_: (model, 'walk'))
    monkeypatch.setattr(module, 'scored_dataset', lambda *_: [item, item])
    monkeypatch.setattr(module, 'pseudo_collate', lambda items: items[0])
    share, score = np.ones((20, 24)), np.full((2, 20, 24), 0.5)
    monkeypatch.setattr(
        module,
        'walk_pictures',
        lambda *given: WalkPictures((3, 4), {1: share}, dict.fromkeys(given[-1], score)),
    )
    return module


def test_a_panel_for_each_image(walked, tmp_path):
    sizes = []
    for number in ('1', '2'):
        out = tmp_path / f'{number}.png'
        walked.main(['c.py', 'a.pth', '--num', number, '--out', str(out), '--steps', '0', '4'])
        sizes.append(Image.open(out).size)
    assert sizes[0][0] == sizes[1][0] <= 1100
    assert sizes[1][1] > 1.8 * sizes[0][1]


@pytest.mark.parametrize('wrong', [['--num', '0'], ['--steps', '-1']])
def test_command_line_errors(tool, wrong, capsys):
    with pytest.raises(SystemExit):
        tool('draw_walk').parse_args(['c.py', 'a.pth', '--out', 'a.png', *wrong])
    assert 'expected' in capsys.readouterr().err
