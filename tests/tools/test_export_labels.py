"""tools/export_labels.py on the real segmentor after one iteration."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsss_plugin.datasets import ShapesTagDataset
from wsss_plugin.errors import DataError

ROOT = Path(__file__).parents[2]
_LIST = 'ImageSets/Segmentation/train.txt'


def _labels(folder):
    return {
        path.relative_to(folder).as_posix(): np.asarray(Image.open(path))
        for path in sorted(folder.rglob('*.png'))
    }


@pytest.fixture(scope='session')
def trained(tool, small, shapes, tmp_path_factory):
    """A checkpoint after one iteration, for all tests of this file."""
    folder = tmp_path_factory.mktemp('trained')
    config = str(ROOT / 'configs' / 'dual_vit_r18_shapes.py')
    options = [*small, 'train_cfg.max_iters=1', 'experiment_name=export', 'visualizer.name=export']
    options += [f'{split}_dataloader.dataset.data_root={shapes}' for split in ('train', 'val')]
    tool('train').main([config, '--work-dir', str(folder), '--cfg-options', *options])
    return folder / 'iter_1.pth'


@pytest.fixture
def export(run, shapes, trained, tmp_path):
    def export(*flags, options=(), out=tmp_path / 'labels'):
        flags = ['--out', str(out), *flags]
        run('export_labels', shapes, *options, flags=flags, checkpoint=trained, work_dir=None)
        return out

    return export


def test_labels_of_the_training_images_and_their_manifest(export, shapes, capsys):
    out = export('--cams', 'final+cnn', '--low', '0.2', '--high', '0.5')
    labels = _labels(out)
    assert list(labels) == [f'{name}.png' for name in (shapes / _LIST).read_text().split()]
    palette = np.array(ShapesTagDataset.METAINFO['palette'])
    with Image.open(out / next(iter(labels))) as image:
        assert image.mode == 'P'
        assert image.getpalette()[: palette.size] == palette.flatten().tolist()
    tags = json.loads((shapes / 'tags.json').read_text())
    names = ShapesTagDataset.METAINFO['classes']
    for name, label in labels.items():
        assert label.shape == (48, 48)
        shown = {names[value] for value in np.unique(label) if value not in (0, 255)}
        assert shown <= set(tags[name.removesuffix('.png')])
    manifest = json.loads((out / 'manifest.json').read_text())
    assert manifest['count'] == len(manifest['images']) == 8
    assert manifest['thresholds'] == {'low': 0.2, 'high': 0.5}
    assert manifest['method']['cams'] == ['final', 'cnn']
    assert manifest['method']['parts']['backbone'] == 'DualBranchBackbone'
    everything = np.concatenate([label.flatten() for label in labels.values()])
    assert manifest['ignored_share'] == pytest.approx((everything == 255).mean())
    assert 0 < manifest['ignored_share'] < 1
    printed = capsys.readouterr().out
    assert 'they take 1 MB at most' in printed
    assert 'ETA' in printed


def test_goes_on_and_refuses_other_settings(export, tmp_path):
    out = export()
    before = {path: path.read_bytes() for path in sorted(out.rglob('*.*'))}
    first, second, *others = sorted(out.glob('*.png'))
    times = [path.stat().st_mtime_ns for path in others]
    first.unlink()
    second.write_bytes(before[second][:60])
    (out / 'manifest.json').unlink()
    export()
    assert {path: path.read_bytes() for path in sorted(out.rglob('*.*'))} == before
    assert [path.stat().st_mtime_ns for path in others] == times
    with pytest.raises(FileExistsError, match=r'another thresholds: .*0\.15.* instead of .*0\.4'):
        export('--high', '0.4')
    with pytest.raises(FileExistsError, match='another method'):
        export('--segmentation')
    (tmp_path / 'truth').mkdir()
    (tmp_path / 'truth' / 'a.png').write_bytes(b'kept')
    with pytest.raises(FileExistsError, match='one with other files'):
        export(out=tmp_path / 'truth')


def test_segmentation_of_listed_images(export, shapes, tmp_path):
    (tmp_path / 'some.txt').write_text('train_00003.jpg\ntrain_00001\n')
    flags = ['--list', str(tmp_path / 'some.txt'), '--segmentation']
    tagged = _labels(export(*flags))
    free = _labels(export(*flags, '--no-tags', out=tmp_path / 'free'))
    assert list(tagged) == list(free) == ['train_00001.png', 'train_00003.png']
    tags = json.loads((shapes / 'tags.json').read_text())
    numbers = {name: i for i, name in enumerate(ShapesTagDataset.METAINFO['classes'])}
    changed = 0
    for name, label in tagged.items():
        allowed = [0, *(numbers[tag] for tag in tags[name.removesuffix('.png')])]
        assert set(np.unique(label)) <= set(allowed)
        kept = np.isin(free[name], allowed)
        assert (label[kept] == free[name][kept]).all()
        changed += (~kept).sum()
    assert changed > 0


def test_a_data_set_takes_the_labels(export, shapes):
    out = export('--low', '0.2', '--high', '0.5', '--ignore', '9')
    dataset = ShapesTagDataset(
        _LIST,
        data_root=str(shapes),
        label_dir=str(out),
        pipeline=[
            dict(type='LoadImageOrRaise'),
            dict(type='LoadAnnotations'),
            dict(type='PackWSSSInputs'),
        ],
    )
    sample = dataset[2]['data_samples']
    label = _labels(out)['train_00002.png']
    assert (label == 9).any()
    assert (sample.gt_sem_seg.data[0].numpy() == np.where(label == 9, 255, label)).all()
    assert sample.metainfo['label_dir'] == str(out)
    with pytest.raises(DataError, match='received none for 2, among them val_00000'):
        ShapesTagDataset(
            'ImageSets/Segmentation/val.txt', data_root=str(shapes), label_dir=str(out)
        )


def test_a_training_on_the_labels(export, tool, small, shapes, tmp_path):
    out = export('--low', '0.2', '--high', '0.5')
    base = ROOT / 'configs' / 'ablations' / 'shapes' / 'supervised_shapes.py'
    work_dir = tmp_path / 'second'
    options = [option for option in small if not option.startswith('model.')]
    options = [option for option in options if 'pipeline' not in option]
    options += ['train_cfg.max_iters=1', 'train_dataloader.dataset.pipeline.2.crop_size=48']
    options += [f'experiment_name={tmp_path.name}', f'visualizer.name={tmp_path.name}']
    options += ['model.labels.true.type=StoredLabels', 'train_dataloader.dataset.load_masks=False']
    options += [f'{split}_dataloader.dataset.data_root={shapes}' for split in ('train', 'val')]
    train = [str(base), '--work-dir', str(work_dir), '--cfg-options', *options]
    tool('train').main([*train, f'train_dataloader.dataset.label_dir={out}'])
    assert (work_dir / 'iter_1.pth').is_file()


def test_labels_of_stored_cams(export, shapes, tmp_path, capsys):
    scores = export('--scores', 'cams', '--cams', 'final+cnn', out=tmp_path / 'cams')
    assert 'CAM scores of 8 images' in capsys.readouterr().out
    thresholds = ['--low', '0.2', '--high', '0.5', '--refine', 'none']
    out = _labels(export('--cams-from', str(scores), *thresholds))
    whole = _labels(export('--cams', 'final+cnn', *thresholds, out=tmp_path / 'whole'))
    assert list(out) == list(whole)
    same = [(out[name] == whole[name]).mean() for name in whole]
    assert np.mean(same) > 0.9
    with pytest.raises(DataError, match="'corrected masks', received 'CAM scores'"):
        ShapesTagDataset(_LIST, data_root=str(shapes), label_dir=str(scores))


def test_a_crf_of_several_scales_of_the_segmentation(export, tmp_path):
    pytest.importorskip('pydensecrf')
    (tmp_path / 'some.txt').write_text('train_00003\ntrain_00001\n')
    flags = ['--list', str(tmp_path / 'some.txt'), '--segmentation']
    crf = ['--refine', 'crf', '--crf-workers', '0', '--window', '40', '--tta']
    refined, plain = _labels(export(*flags, *crf)), _labels(export(*flags, out=tmp_path / 'plain'))
    assert list(refined) == list(plain)
    assert {label.shape for label in refined.values()} == {(48, 48)}
    manifest = json.loads((tmp_path / 'labels' / 'manifest.json').read_text())
    assert manifest['method']['tta'] is True
    assert manifest['method']['crf']['num_iter'] == 10


@pytest.mark.long
def test_two_processes_write_the_same(export, shapes, trained, small, tmp_path):
    alone = export()
    config = str(ROOT / 'configs' / 'dual_vit_r18_shapes.py')
    options = [*small]
    options += [
        f'{split}_dataloader.dataset.data_root={shapes}' for split in ('train', 'val', 'test')
    ]
    command = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2']
    command += [str(ROOT / 'tools' / 'export_labels.py'), config, str(trained), '--launcher']
    command += ['pytorch', '--out', str(tmp_path / 'two'), '--cfg-options', *options]
    paths = os.pathsep.join([str(ROOT), os.environ.get('PYTHONPATH', '')])
    environment = {**os.environ, 'PYTHONPATH': paths, 'OMP_NUM_THREADS': '1'}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-3000:]
    files = {path.name: path.read_bytes() for path in alone.iterdir()}
    assert {path.name: path.read_bytes() for path in (tmp_path / 'two').iterdir()} == files


def test_labels_without_padding_at_the_original_size(export):
    options = ['model.data_preprocessor.test_cfg.size_divisor=64']
    options += ['test_dataloader.dataset.pipeline.1.type=Resize']
    options += ['test_dataloader.dataset.pipeline.1.scale=(40,40)']
    labels = _labels(export('--low', '0.2', '--high', '0.5', options=options))
    assert {label.shape for label in labels.values()} == {(48, 48)}
    # Padding would be ignored.
    assert any((label[-1] != 255).any() for label in labels.values())


@pytest.mark.parametrize(
    ('flags', 'message'),
    [
        (['--segmentation', '--low', '0.1'], 'expected --segmentation or --low'),
        (['--segmentation', '--cams-from', 'c'], 'expected --segmentation or --cams-from'),
        (['--scores', 'cams', '--refine', 'crf'], 'expected --scores or --refine'),
        (['--cams-from', 'c', '--cams', 'final'], 'expected --cams-from or --cams'),
        (['--no-tags'], 'expected --no-tags with --segmentation'),
        (['--tta'], 'expected --tta with --segmentation'),
        (['--alphas', '4', '32'], 'expected --alphas with --scores alphas'),
        (['--stride', '8'], 'expected --stride with --window'),
        (['--crf-workers', '-1'], 'expected --crf-workers >= 0, received -1'),
    ],
)
def test_flags_that_contradict(tool, capsys, flags, message):
    with pytest.raises(SystemExit):
        tool('export_labels').parse_args(['a.py', 'a.pth', '--out', 'b', *flags])
    assert message in capsys.readouterr().err
