"""tools/judge_labels.py, rank_signals.py and inspect_data.py on the real segmentor."""

import csv
import importlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.training


@pytest.fixture(scope='module')
def trained(tool, small, shapes, tmp_path_factory):
    """A checkpoint after one iteration, for all tests of this file."""
    folder = tmp_path_factory.mktemp('trained')
    config = str(ROOT / 'configs' / 'dual_vit_r18_shapes.py')
    options = [
        *small,
        'max_iters=1',
        'train_cfg.max_iters=1',
        'experiment_name=judge',
        'visualizer.name=judge',
    ]
    options += [f'{split}_dataloader.dataset.data_root={shapes}' for split in ('train', 'val')]
    tool('train').main([config, '--work-dir', str(folder), '--cfg-options', *options])
    return folder / 'iter_1.pth'


def test_the_log_of_a_training_says_what_it_is_trained_on(trained):
    (log,) = trained.parent.glob('*/*.log')
    lines = log.read_text()
    assert 'train: 8 images, ' in lines
    assert 'losses: cls 0-1; consistency, ctc, ptc, seg NEVER (from 1 on' in lines


def test_judges_by_tags_and_few_masks(run, trained, shapes, tmp_path, capsys, monkeypatch, tool):
    # The package gives this name to the function.
    module = importlib.import_module('wsss_plugin.engine.judging.judge_run')
    monkeypatch.setattr('wsss_plugin.engine.judging.masked_images.FEWEST_MASKS', 2)
    monkeypatch.setattr(module, '_LOWS', (0.1,))
    monkeypatch.setattr(module, '_HIGHS', (0.5,))
    flags = ['--out', str(tmp_path / 'out'), '--masks', str(shapes / 'SegmentationClass')]
    run('judge_labels', shapes, flags=flags, checkpoint=trained, work_dir=None)
    found = json.loads((tmp_path / 'out' / 'judgement.json').read_text())
    assert found['images'] == {'count': 2, 'split': 'val', 'list': None, 'trained_on': 0}
    assert found['sources'] == {'segmentation': 'decode head', 'labels': 'pixel'}
    assert found['signals']['undecided'] is not None
    masks = found['masks']
    assert masks['count'] == 2
    assert masks['labels']['low'] <= masks['labels']['mIoU'] <= masks['labels']['high']
    # 0.03 and 0.15 are the config's own at the end of the training.
    assert masks['thresholds']['low'] in (0.03, 0.1)
    assert masks['thresholds']['high'] in (0.15, 0.5)
    with open(tmp_path / 'out' / 'review.csv', newline='', encoding='utf-8') as file:
        assert {row['image'] for row in csv.DictReader(file)} == {'val_00000', 'val_00001'}
    printed = capsys.readouterr().out
    assert '2 images of val, no mask used' in printed
    assert 'were picked on these 2 masks, by 2-fold cross-validation' in printed
    tool('rank_signals').main([str(tmp_path / 'out')])
    assert '| `tag_f1` | - | 1 | no |' in capsys.readouterr().out


def test_training_images_are_said_to_be(run, trained, shapes, tmp_path, capsys):
    flags = ['--out', str(tmp_path), '--split', 'train', '--num', '2']
    run('judge_labels', shapes, flags=flags, checkpoint=trained, work_dir=None)
    assert '2 of them were trained on, which flatters the tags' in capsys.readouterr().out


def test_doubtful_tags_by_a_checkpoint(run, trained, shapes, tmp_path, capsys):
    out = tmp_path / 'out'
    flags = ['--out', str(out), '--views', '0', '--folds', '2', '--checkpoint', str(trained)]
    run('inspect_data', shapes, flags=[*flags, '--number', '3'], work_dir=None)
    found = json.loads((out / 'inspection.json').read_text())
    with open(out / 'doubtful_tags.csv', newline='', encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    assert [row['image'] for row in rows] == [tag['image'] for tag in found['doubtful_tags']]
    assert len(rows) <= 3
    assert found['contact_sheet'] is None
    printed = capsys.readouterr().out
    assert f'{len(rows)} doubtful tags of train' in printed
    assert 'losses: cls 0-1500; consistency, ctc, ptc, seg 1-1500' in printed
    assert 'train: 0 of 8 masks contradict the tags' in printed


@pytest.mark.parametrize(
    ('name', 'arguments', 'message'),
    [
        ('inspect_data', [], 'expected a config, or --images and --tags'),
        ('inspect_data', ['a.py', '--images', 'b'], 'expected a config, or'),
        ('inspect_data', ['--images', 'a', '--tags', 'b', '--checkpoint', 'c'], 'a config beside'),
        ('inspect_data', ['a.py', '--views', '-1'], '--views >= 0'),
        ('judge_labels', ['a.py', 'b', '--num', '0'], '--num >= 1'),
        ('judge_labels', ['a.py', 'b', '--labels', 'c', '--label-dir', 'd'], 'received both'),
    ],
)
def test_refuses_options_that_contradict(tool, capsys, name, arguments, message):
    with pytest.raises(SystemExit):
        tool(name).parse_args(arguments)
    assert message in capsys.readouterr().err
