"""tools/report.py: a page of a run with masks, of one without, and in a browser."""

import csv
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from wsss_plugin.errors import MissingFileError

_COLOURS = Path(__file__).parents[1] / 'engine' / 'prediction' / 'colour_segmentor.py'
_CLASSES = ('background', 'red', 'US$$ <note>', '_blue')
_BROWSER = shutil.which('chromium')
_CONFIG = """
default_scope = 'mmseg'
custom_imports = dict(imports=['wsss_plugin'], allow_failed_imports=False)
model = dict(
    type='ColourSegmentor',
    data_preprocessor=dict(
        type='SegDataPreProcessor', mean=[0, 0, 0], std=[255, 255, 255], bgr_to_rgb=True
    ),
)
dataset = dict(
    type='ImageTagDataset',
    data_root={root!r},
    ann_file='tags.csv',
    metainfo=dict(classes={classes!r}),
    pipeline=[
        dict(type='LoadImageOrRaise'),
        dict(type='LoadAnnotations'),
        dict(type='PackWSSSInputs'),
    ],
)
train_dataloader = dict(batch_size=2, dataset=dataset)
test_dataloader = dict(batch_size=1, dataset=dataset)
test_evaluator = dict(type='WSSSMetric')
train_cfg = dict(type='IterBasedTrainLoop', max_iters=40)
"""


@pytest.fixture(scope='module')
def colours():
    name = 'colour_segmentor'
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, _COLOURS)
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


def _write_run(colours, tmp_path):
    """A work folder: a model whose segmentation is right, but for rows of the second mask."""
    _, weights = colours.write_model(tmp_path, _CLASSES)
    root = tmp_path / 'data'
    for folder in ('images', 'masks'):
        (root / folder).mkdir(parents=True)
    names = ('a $5 or $_10', 'b')
    for name, spoilt in zip(names, (0, 5), strict=True):
        image, label = colours.colour_image()
        label[:spoilt] = 2
        Image.fromarray(image).save(root / 'images' / f'{name}.png')
        Image.fromarray(label).save(root / 'masks' / f'{name}.png')
    with (root / 'tags.csv').open('w', newline='') as file:
        rows = [('image', 'tags'), (names[0], 'red;_blue'), (names[1], 'red;_blue;US$$ <note>')]
        csv.writer(file).writerows(rows)
    folder = tmp_path / 'run'
    data = folder / '20260101_000000' / 'vis_data'
    data.mkdir(parents=True)
    (data / 'config.py').write_text(_CONFIG.format(root=str(root), classes=_CLASSES))
    rows = [{'iter': one, 'step': one, 'loss': 40.0 / one, 'lr': 0.1} for one in (20, 40)]
    (data / 'scalars.json').write_text(''.join(json.dumps(row) + '\n' for row in rows))
    hub = {'log_scalars': {}, 'runtime_info': {}, 'resumed_keys': {}}
    content = {**torch.load(weights), 'optimizer': {}, 'message_hub': hub}
    content['meta'].update(iter=40, epoch=0)
    torch.save(content, folder / 'iter_40.pth')
    return folder


@pytest.fixture
def run(colours, tmp_path):
    return _write_run(colours, tmp_path)


@pytest.fixture(scope='module')
def scored(tool, colours, tmp_path_factory):
    """The page of a run with masks beside another one."""
    run = _write_run(colours, tmp_path_factory.mktemp('scored'))
    shutil.copytree(run, run.with_name('base <line>'))
    _page(tool, run, '--compare', str(run.with_name('base <line>')))
    return run / 'report.html'


def _page(tool, run, *flags):
    tool('report').main([str(run), *flags])
    return (run / 'report.html').read_text(encoding='utf-8')


def test_scores_and_pictures_of_a_run_with_masks(scored):
    page = scored.read_text(encoding='utf-8')
    # Of 640 pixels 160 are red, 160 blue; of b 160 pixels of other classes are a note's.
    assert '<td>US$$ &lt;note&gt;</td><td>0</td>' in page
    assert '<td>_blue</td><td>100</td>' in page
    assert page.count('data:image/jpeg;base64,') == 2
    best, worst = page.index('<h3>Best</h3>'), page.index('<h3>Worst</h3>')
    assert best < worst < page.index('b.png</figcaption>')
    assert 'over-activation FP' in page
    assert '>seg, base &lt;line&gt;</text>' in page
    # Nothing has to be fetched.
    assert 'src="http' not in page
    assert 'href="http' not in page
    assert '40 iterations logged in 1 start' in page


def test_without_masks_what_is_judged_comes_first(tool, run):
    shutil.rmtree(run.parent / 'data' / 'masks')
    (run / 'review.csv').write_text('image,doubt\nb,0.9\na $5 or $_10,0.1\n')
    judged = {
        'images': {'count': 2, 'split': 'val', 'trained_on': 1},
        'signals': {'tag_f1': 81.25, 'undecided': None},
        'recommended': ['tag_f1'],
        'by_class': [{'class': '<red>', 'tag_f1': 12.5}],
        'masks': None,
    }
    (run / 'judgement.json').write_text(json.dumps(judged))
    short = {'short': ['train: 2 images <>'], 'doubtful_tags': None}
    (run / 'inspection.json').write_text(json.dumps(short))
    page = _page(tool, run)
    assert 'there are no masks' in page
    assert '<td>tag_f1</td><td>81.25</td><td class="text">recommended</td>' in page
    assert '<td>&lt;red&gt;</td><td>12.5</td>' in page
    assert 'train: 2 images &lt;&gt;' in page
    assert page.index('b.png</figcaption>') < page.index('$_10.png</figcaption>')


def test_what_is_missing_is_said(tool, run, tmp_path):
    (run / 'iter_40.pth').unlink()
    assert 'No image was looked at: no complete checkpoint.' in _page(tool, run)
    for flags, message in (
        ([str(tmp_path / 'nothing')], 'work folder of a training'),
        ([str(run), '--compare', str(run)], 'complete checkpoint in .*run to compare'),
        ([str(run), '--checkpoint', 'none.pth'], 'checkpoint at none.pth'),
    ):
        with pytest.raises(MissingFileError, match=message):
            tool('report').main(flags)
    with pytest.raises(SystemExit):
        tool('report').main([str(run), '--num', '-1'])


@pytest.mark.skipif(_BROWSER is None, reason='the page was not looked at: no Chromium')
def test_the_page_in_a_browser(scored, tmp_path):
    picture = tmp_path / 'page.png'
    command = [_BROWSER, '--headless', '--no-sandbox', '--disable-gpu', '--window-size=1200,2200']
    command += [f'--user-data-dir={tmp_path / "profile"}', f'--screenshot={picture}']
    done = subprocess.run([*command, scored.as_uri()], capture_output=True, text=True, timeout=120)
    assert picture.is_file(), done.stderr
    seen = np.array(Image.open(picture).convert('RGB')).astype(int)
    assert seen.shape == (2200, 1200, 3)
    # Matplotlib's blue, of the curves and the bars, and the red of the images.
    for colour, fewest in (((31, 119, 180), 200), ((250, 5, 5), 500)):
        assert (np.abs(seen - colour).max(axis=-1) < 30).sum() > fewest
