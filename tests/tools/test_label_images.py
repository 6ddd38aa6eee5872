"""tools/label_images.py on a few generated images, interrupted and gone on with."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
import traceback
import warnings
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsss_plugin.datasets import ShapesConfig, ShapesGenerator
from wsss_plugin.engine.run_config import load_config
from wsss_plugin.engine.stages import stage_runner
from wsss_plugin.errors import ConfigError, DataError

pytestmark = pytest.mark.training


@pytest.fixture
def label(tool, tmp_path, monkeypatch):
    """Labels 20 images of 48 pixels; tools run in copies of this process."""
    ShapesGenerator(ShapesConfig(train=20, val=1, size=48)).write(tmp_path / 'data')
    (tmp_path / 'names.txt').write_text(''.join(f'train_{i:05}\n' for i in range(20)))
    tools = {f'{name}.py': tool(name) for name in ('train', 'export_labels', 'label_images')}
    started = []

    def tied(command, environment, lock):
        del environment, lock
        name, arguments = Path(command[1]).name, command[2:]
        started.append(name)
        if name in label.broken:
            return 1
        process = os.fork()
        if process == 0:
            code = 1
            try:
                # That there are no masks to validate on is said as a warning.
                warnings.simplefilter('ignore')
                tools[name].main(arguments)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])

    monkeypatch.setattr(stage_runner, 'run_tied', tied)

    def label(*options):
        started.clear()
        data = tmp_path / 'data'
        tools['label_images.py'].main(
            [
                *('--images', str(data / 'JPEGImages'), '--tags', str(data / 'tags.json')),
                *('--out', str(tmp_path / 'out'), '--list', str(tmp_path / 'names.txt')),
                *('--classes', *ShapesGenerator.CLASSES),
                *('--max-iters', '1', '--preset', 'scratch', '--processes', '1'),
                *('--no-tta', '--no-crf'),
                *options,
            ]
        )
        return list(started)

    label.broken = set()
    return label


def test_images_become_masks_and_a_killed_labelling_goes_on(label, tmp_path, capsys, monkeypatch):
    out = tmp_path / 'out'
    label.broken = {'export_labels.py'}
    with pytest.raises(RuntimeError, match=r'stages\.masks\.export.*the same command goes on'):
        label()
    label.broken = set()
    assert label() == ['export_labels.py']
    masks = sorted((out / 'masks').glob('*.png'))
    assert [file.stem for file in masks] == [f'train_{index:05}' for index in range(20)]
    tags = json.loads((tmp_path / 'data' / 'tags.json').read_text())
    config = load_config(str(out / 'config.py'))
    classes = config.train_dataloader.dataset.metainfo.classes
    for file in masks:
        found = {classes[value] for value in np.unique(np.asarray(Image.open(file)))}
        assert found <= {'background', *tags[file.stem]}
        assert found != {'background'}
    assert (out / 'all_background.txt').read_text() == ''
    trained, held = ((out / f'{name}.txt').read_text().split() for name in ('train', 'held_out'))
    assert len(trained) + len(held) == 20
    judgement = json.loads((out / 'train' / 'judgement.json').read_text())
    assert judgement['images']['count'] == len(held)
    assert judgement['images']['trained_on'] == 0
    assert 'max_iters' in (out / 'report.html').read_text()
    assert (out / 'inspection' / 'views.png').is_file()
    assert 'tags (0.0 %) are all background' in capsys.readouterr().out
    assert label() == []
    # Some images have masks: too few to be judged by are refused, and those that are count.
    drawn = tmp_path / 'drawn'
    drawn.mkdir()
    for name in held[:2]:
        shutil.copy(tmp_path / 'data' / 'SegmentationClass' / f'{name}.png', drawn)
    with pytest.raises(DataError, match=r'expected masks .* of 30 images of val or more'):
        label('--masks', str(drawn))
    monkeypatch.setattr('wsss_plugin.engine.judging.masked_images.FEWEST_MASKS', 2)
    judge_run = importlib.import_module('wsss_plugin.engine.judging.judge_run')
    monkeypatch.setattr(judge_run, '_LOWS', (0.1,))
    monkeypatch.setattr(judge_run, '_HIGHS', (0.5,))
    capsys.readouterr()
    assert label('--masks', str(drawn)) == []
    printed = capsys.readouterr().out
    assert '| by 2 masks | mIoU | 95 % interval |' in printed
    assert 'were picked on these 2 masks, by 2-fold cross-validation' in printed
    with pytest.raises(ConfigError, match='received no_tags=True in place of False; edit'):
        label('--no-tags')


def test_files_that_cannot_be_read_are_named_before_anything_is_trained(label, tmp_path, capsys):
    images = tmp_path / 'data' / 'JPEGImages'
    (images / 'train_00002.jpg').write_bytes(b'')
    shutil.copy(images / 'train_00004.jpg', images / 'train_00007.jpg')
    with pytest.raises(DataError, match=r'received 1 that cannot: .*train_00002\.jpg') as error:
        label()
    assert 'mend or remove them and their tags' in str(error.value)
    printed = capsys.readouterr().out
    assert '1 groups of files have the same bytes' in printed
    assert not (tmp_path / 'out' / 'train').exists()
    ShapesGenerator(ShapesConfig(train=20, val=1, size=48)).write(tmp_path / 'again')
    shutil.copy(tmp_path / 'again' / 'JPEGImages' / 'train_00002.jpg', images)
    label.broken = {'train.py'}
    with pytest.raises(RuntimeError, match=r'stages\.train'):
        label()
