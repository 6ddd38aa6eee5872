"""tools/score_labels.py on the real segmentor after one iteration, and its errors."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from PIL import Image

from wsss_plugin.datasets import ShapesTagDataset
from wsss_plugin.datasets.label_manifest import LabelManifest
from wsss_plugin.errors import DataError
from wsss_plugin.evaluation import LabelScores
from wsss_plugin.evaluation.label_png import save_label_png

ROOT = Path(__file__).parents[2]


def _rows(text):
    lines = [line for line in text.splitlines() if line.startswith('|')]
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in lines]


@pytest.fixture
def score(run, shapes, checkpoint):
    """Scores the checkpoint, without a work folder, which this tool does not know."""

    def score(*flags, options=()):
        run('score_labels', shapes, *options, flags=flags, checkpoint=checkpoint, work_dir=None)

    return score


def test_table_of_cams_and_thresholds(score, capsys, tmp_path):
    flags = ['--num', '2', '--cams', 'final', 'final+cnn', '--low', '0.05', '--high', '0.02', '0.3']
    score(*flags, '0.6', '--out', str(tmp_path / 'scores.json'))
    head, _, *rows = _rows(capsys.readouterr().out)
    found = json.loads((tmp_path / 'scores.json').read_text())
    assert [[one['cams'], f'{one["low"]:g}', f'{one["high"]:g}'] for one in found] == [
        row[:3] for row in rows
    ]
    assert [f'{one["labelled"]:.1f}' for one in found] == [row[4] for row in rows]
    assert head[:4] == ['CAM', 'low', 'high', 'mIoU where labelled']
    # A high threshold below the low one makes no label.
    assert [row[:3] for row in rows] == [
        ['final', '0.05', '0.3'],
        ['final', '0.05', '0.6'],
        ['final+cnn', '0.05', '0.3'],
        ['final+cnn', '0.05', '0.6'],
    ]
    # Foreground is what scores above the high threshold: a higher one labels no more of it.
    pairs = zip(rows[::2], rows[1::2], strict=True)
    drops = [float(row[column]) - float(after[column]) for row, after in pairs for column in (5, 7)]
    assert min(drops) >= 0
    assert max(drops) > 0


def test_defaults_are_the_config_s(score, capsys):
    options = ('model.thresholds.low=0.07', 'model.thresholds.high=0.45')
    score('--num', '1', options=options)
    _, _, *rows = _rows(capsys.readouterr().out)
    names = ['aux', 'cnn', 'final', 'aux+cnn+final']
    assert [row[:3] for row in rows] == [[name, '0.07', '0.45'] for name in names]


def test_the_decode_head_makes_labels(score, capsys):
    score('--num', '2', '--cams', 'final', 'final+decoder', '--low', '0.3', '--high', '0.3')
    _, _, alone, fused = _rows(capsys.readouterr().out)
    assert (alone[0], fused[0]) == ('final', 'final+decoder')
    assert alone[3:] != fused[3:]


def test_labels_after_a_crf(score, capsys):
    pytest.importorskip('pydensecrf')
    flags = ['--num', '2', '--cams', 'final', '--low', '0.1', '--high', '0.3']
    score(*flags, '--refine', 'none')
    _, _, plain = _rows(capsys.readouterr().out)
    score(*flags, '--refine', 'crf', '--crf-options', 'num_iter=2', 'bilateral=(10,10,9)')
    _, _, refined = _rows(capsys.readouterr().out)
    assert plain[:3] == refined[:3]
    assert plain[3:] != refined[3:]


def test_nothing_is_written(score, checkpoint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def files():
        # The log of the training in this process goes on.
        found = (path for path in tmp_path.rglob('*.*') if path.suffix != '.log')
        return {path: path.stat().st_mtime_ns for path in found if path.is_file()}

    before = files()
    score('--num', '1', '--cams', 'final')
    assert checkpoint in before
    assert files() == before


def test_padding_is_not_scored(tool, score, monkeypatch):
    sizes = []

    class Scores(LabelScores):
        def add(self, label, truth):
            sizes.append((tuple(label.shape), tuple(truth.shape)))
            super().add(label, truth)

    monkeypatch.setattr(tool('score_labels'), 'LabelScores', Scores)
    options = ['model.data_preprocessor.test_cfg.size_divisor=64']
    score('--num', '1', '--cams', 'final', options=options)
    assert sizes == [((48, 48), (48, 48))]


def test_the_area_of_the_image(tool):
    truth = np.arange(6).reshape(1, 2, 3)
    sample = SegDataSample(gt_sem_seg=PixelData(data=torch.tensor(truth)))
    sample.set_metainfo(dict(img_shape=(4, 6)))
    padded = torch.full((8, 8), 9)
    padded[:4, :6] = torch.tensor(truth[0].repeat(2, 0).repeat(2, 1))
    label, mask = tool('score_labels').inside(padded, sample)
    assert torch.equal(label, mask)


def test_unknown_cam(score):
    with pytest.raises(ValueError, match=r"'cnn', 'final', 'decoder'\], received \['vit'\]"):
        score('--cams', 'final+vit')


def test_no_low_threshold_below_a_high_one(tool):
    grid = tool('score_labels').grid
    assert grid(['final'], [0.2, 0.5], [0.4]) == [('final', 0.2, 0.4)]
    with pytest.raises(ValueError, match=r'--low \[0\.5\] and --high \[0\.4\]; lower'):
        grid(['final'], [0.5], [0.4])


@pytest.mark.parametrize(('missing', 'what'), [('gt_sem_seg', 'a mask'), ('gt_tags', 'the tags')])
def test_what_an_image_lacks_is_named(tool, missing, what):
    sample = SegDataSample(gt_sem_seg=PixelData(data=torch.zeros(1, 2, 2)))
    sample.gt_tags = torch.ones(2)
    sample.set_metainfo(dict(img_path='a.jpg'))
    tool('score_labels').require_truth(sample)
    delattr(sample, missing)
    with pytest.raises(ValueError, match=rf'a\.jpg: expected {what}'):
        tool('score_labels').require_truth(sample)


def test_segmentor_without_pseudo_labels(tool, toy_config_file, tmp_path):
    arguments = [str(toy_config_file), str(tmp_path / 'none.pth')]
    with pytest.raises(TypeError, match='makes pseudo labels'):
        tool('score_labels').main(arguments)


@pytest.fixture
def score_folder(tool, shapes, tmp_path):
    """Scores a folder of labels, made of the masks of the validation images."""

    def run(change, *flags, listed=2):
        folder = tmp_path / 'labels'
        names = [path.stem for path in sorted((shapes / 'SegmentationClass').glob('val*.png'))]
        for name in names:
            mask = np.array(Image.open(shapes / 'SegmentationClass' / f'{name}.png'))
            save_label_png(folder / f'{name}.png', change(mask))
        content = dict(classes=list(ShapesTagDataset.METAINFO['classes']), ignore=9)
        LabelManifest.write(folder, dict(content, images=names[:listed]))
        arguments = [str(ROOT / 'configs' / 'dual_vit_r18_shapes.py'), '--label-dir', str(folder)]
        options = ['--cfg-options', f'test_dataloader.dataset.data_root={shapes}']
        tool('score_labels').main([*arguments, *flags, *options])

    return run


def _without_foreground(mask):
    return np.where((mask > 0) & (mask < 255), 0, mask)


def _undecided(mask):
    return np.where(mask > 0, 9, mask)


@pytest.mark.parametrize(
    ('change', 'expected'),
    [
        (np.array, {'mIoU where labelled': '100.0', 'FN': '0.0', 'labelled': '100.0'}),
        (_without_foreground, {'FN': '100.0', 'foreground as background': '100.0'}),
        (_undecided, {'mIoU where labelled': '100.0', 'FN': '', 'foreground right': '0.0'}),
    ],
)
def test_a_folder_of_labels(score_folder, change, expected, capsys):
    score_folder(change)
    head, _, row = _rows(capsys.readouterr().out)
    values = dict(zip(head, row, strict=True))
    assert {key: values[key] for key in expected} == expected


def test_a_folder_that_lacks_an_image_or_has_other_sizes(score_folder):
    with pytest.raises(DataError, match='received none for 1, among them val_00001'):
        score_folder(np.array, listed=1)
    with pytest.raises(DataError, match=r'size of the mask \(48, 48\), received \(47, 48\)'):
        score_folder(lambda mask: mask[1:])


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ([], 'expected a checkpoint or --label-dir, received both or none'),
        (['a.pth', '--label-dir', 'b'], 'received both or none'),
        (['--label-dir', 'b', '--high', '0.3'], 'expected --label-dir or --high, received both'),
    ],
)
def test_a_checkpoint_or_a_folder(tool, arguments, message, capsys):
    with pytest.raises(SystemExit):
        tool('score_labels').parse_args(['a.py', *arguments])
    assert message in capsys.readouterr().err


def test_at_least_one_image(tool, capsys):
    with pytest.raises(SystemExit):
        tool('score_labels').parse_args(['a.py', 'a.pth', '--num', '0'])
    assert 'expected --num >= 1' in capsys.readouterr().err
