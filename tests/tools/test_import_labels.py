"""tools/labels_to_coco.py and tools/import_labels.py, there and back."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from wsss_plugin.datasets import ShapesTagDataset
from wsss_plugin.datasets.label_manifest import LabelManifest
from wsss_plugin.errors import ConfigError, ExistingFileError
from wsss_plugin.evaluation.label_png import save_label_png

_SIZE = 48


@pytest.fixture
def labels(tmp_path):
    """Frayed labels of three of the eight images."""
    draw = np.random.default_rng(0)
    names = [f'train_{number:05}' for number in range(3)]
    for name in names:
        label = draw.choice([0, 0, 1, 5, 255], (_SIZE // 4, _SIZE // 4)).repeat(4, 0).repeat(4, 1)
        label[draw.random(label.shape) < 0.02] = 3
        save_label_png(tmp_path / 'labels' / f'{name}.png', label)
    classes = list(ShapesTagDataset.METAINFO['classes'])
    LabelManifest.write(tmp_path / 'labels', dict(classes=classes, images=names, ignore=255))
    return LabelManifest.read(tmp_path / 'labels')


@pytest.fixture
def bring_back(run, shapes, tmp_path):
    def bring(*flags):
        out = tmp_path / 'masks'
        flags = [str(tmp_path / 'coco.json'), '--out', str(out), *flags]
        run('import_labels', shapes, flags=flags, work_dir=None)
        return LabelManifest.read(out)

    return bring


def _read(manifest, name):
    return np.asarray(Image.open(manifest.path(name)))


@pytest.mark.parametrize('flags', [(), ('--polygons',), ('--components', '--polygons')])
def test_a_round_trip_gives_the_same_pixels(labels, bring_back, tool, shapes, tmp_path, flags):
    arguments = [str(labels.folder), '--out', str(tmp_path / 'coco.json'), *flags]
    arguments += ['--images', str(shapes / 'JPEGImages'), '--undecided', 'unclear']
    tool('labels_to_coco').main(arguments)
    masks = bring_back('--undecided', 'unclear')
    assert masks.kind == 'corrected masks'
    assert masks.classes == labels.classes
    assert masks.images == labels.images
    assert 0.1 < masks.content['ignored_share'] < 0.3
    assert all(np.array_equal(_read(masks, name), _read(labels, name)) for name in masks.images)


def test_the_undecided_are_left_out_with_a_word(labels, bring_back, tool, tmp_path, capsys):
    tool('labels_to_coco').main([str(labels.folder), '--out', str(tmp_path / 'coco.json')])
    assert '% of the pixels are undecided and left out' in capsys.readouterr().out
    content = json.loads((tmp_path / 'coco.json').read_text())
    content['annotations'] = [one for one in content['annotations'] if one['image_id'] != 2]
    (tmp_path / 'coco.json').write_text(json.dumps(content))
    masks = bring_back()
    said = capsys.readouterr().out
    assert '2 masks in' in said
    assert f'1 images without areas are left out: {labels.images[1]}' in said
    assert masks.images == (labels.images[0], labels.images[2])
    for name in masks.images:
        before, after = _read(labels, name), _read(masks, name)
        assert np.array_equal(after[before != 255], before[before != 255])
        assert not after[before == 255].any()
    with pytest.raises(ExistingFileError, match='expected the settings of this export'):
        bring_back('--empty', 'background')


def test_a_data_set_takes_both(labels, bring_back, tool, shapes, tmp_path):
    tool('labels_to_coco').main([str(labels.folder), '--out', str(tmp_path / 'coco.json')])
    masks = bring_back('--list', _list(tmp_path, labels.images[2:]))
    (tmp_path / 'two.txt').write_text('\n'.join(labels.images[1:]))
    dataset = ShapesTagDataset(
        str(tmp_path / 'two.txt'),
        data_root=str(shapes),
        label_dir=[dict(folder=str(masks.folder), weight=2), str(labels.folder)],
    )
    found = [(info['label_dir'], info['label_weight']) for info in (dataset[0], dataset[1])]
    assert found == [(str(labels.folder), 1), (str(masks.folder), 2)]


def test_weights_that_nothing_reads_end_the_training(run, shapes):
    given = [f'train_dataloader.dataset.label_dir.{one}' for one in ('folder=labels', 'weight=2')]
    with pytest.raises(ConfigError, match='label_dir: expected weights that the segmentor reads'):
        run('train', shapes, *given)


def _list(folder, names):
    (folder / 'done.txt').write_text('\n'.join(names))
    return str(folder / 'done.txt')
