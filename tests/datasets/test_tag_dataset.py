from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import ConcatDataset, RepeatDataset
from mmengine.runner import Runner
from mmseg.registry import DATASETS
from PIL import Image

from wsss_plugin.datasets import ImageTagDataset, SeededIndex, ShapesTagDataset
from wsss_plugin.datasets.seeded_index import random_state
from wsss_plugin.errors import ConfigError, DataError

_CONFIGS = Path(__file__).parents[2] / 'configs'
_LIST = 'ImageSets/Segmentation/train.txt'


@pytest.fixture
def shapes(shapes_root, training_pipeline):
    return ShapesTagDataset(_LIST, data_root=str(shapes_root), pipeline=training_pipeline)


def _same(first, second):
    return all(
        torch.equal(first['inputs'][name], second['inputs'][name]) for name in first['inputs']
    ) and (first['data_samples'].metainfo == second['data_samples'].metainfo)


def test_training_sample(shapes, shapes_root):
    sample = shapes[SeededIndex(1, seed=9)]
    data = sample['data_samples']
    tags = json.loads((shapes_root / 'tags.json').read_text())['train_00001']
    groups = json.loads((shapes_root / 'groups.json').read_text())['train_00001']
    assert data.gt_tags.dtype == torch.float32
    assert [shapes.tag_classes[i] for i in data.gt_tags.nonzero().flatten()] == tags
    assert [shapes.tag_classes[i] for i in shapes.get_cat_ids(1)] == tags
    assert data.metainfo['groups'] == tuple(groups)
    assert data.metainfo['sample_seed'] == 9
    assert 'seg_map_path' not in data.metainfo
    assert {view.shape for view in sample['inputs'].values()} == {(3, 32, 32)}


def test_training_never_opens_a_mask(shapes_root, tmp_path, training_pipeline):
    root = tmp_path / 'copy'
    shutil.copytree(shapes_root, root)
    shutil.rmtree(root / 'SegmentationClass')
    dataset = ShapesTagDataset(_LIST, data_root=str(root), pipeline=training_pipeline)
    assert ['inputs' in dataset[index] for index in range(len(dataset))] == [True] * 6


@pytest.mark.parametrize('arguments', [{'test_mode': True}, {'load_masks': True}])
def test_masks_on_request(shapes_root, arguments):
    pipeline = [
        {'type': 'LoadImageOrRaise'},
        {'type': 'LoadAnnotations'},
        {'type': 'PackWSSSInputs'},
    ]
    dataset = ShapesTagDataset(_LIST, data_root=str(shapes_root), pipeline=pipeline, **arguments)
    data = dataset[0]['data_samples']
    present = set(data.gt_sem_seg.data.unique().tolist()) - {0}
    assert present == {int(i) + 1 for i in data.gt_tags.nonzero().flatten()}


def test_a_damaged_mask_is_named(shapes_root, tmp_path):
    root = shutil.copytree(shapes_root, tmp_path / 'copy')
    pipeline = [
        {'type': 'LoadImageOrRaise'},
        {'type': 'LoadAnnotations'},
        {'type': 'PackWSSSInputs'},
    ]
    dataset = ShapesTagDataset(_LIST, data_root=str(root), pipeline=pipeline, test_mode=True)
    image, mask = (Path(dataset.get_data_info(1)[key]) for key in ('img_path', 'seg_map_path'))
    mask.write_bytes(mask.read_bytes()[:60])
    with pytest.raises(RuntimeError, match=f'{mask.name}: .*truncated'):
        dataset[SeededIndex(1, seed=1)]
    mask.unlink()
    with pytest.raises(FileNotFoundError, match=f'{mask.name}: expected a mask'):
        dataset[1]
    shutil.copy(dataset.get_data_info(0)['seg_map_path'], mask)
    image.write_bytes(b'')
    with pytest.raises(RuntimeError, match=f'{image.name}: expected a complete image'):
        dataset[1]


def _test_set(config, root, pipeline):
    config = Config.fromfile(_CONFIGS / config)
    return {**config.val_dataloader.dataset, 'data_root': str(root), 'pipeline': config[pipeline]}


@pytest.mark.parametrize('pipeline', ['test_pipeline', 'tta_pipeline'])
@pytest.mark.parametrize(
    ('mask', 'message'),
    [
        (np.zeros((48, 48, 3), np.uint8), 'received an image of 3 channels'),
        (np.zeros((48, 48, 2), np.uint8), 'received an image of 2 channels'),
        (np.full((48, 48), 257, np.uint16), "received one in Pillow's mode 'I;16'"),
    ],
)
def test_a_mask_without_class_ids_is_named(shapes_root, tmp_path, pipeline, mask, message):
    root = shutil.copytree(shapes_root, tmp_path / 'copy')
    dataset = DATASETS.build(_test_set('dual_vit_r18_shapes.py', root, pipeline))
    path = Path(dataset.get_data_info(1)['seg_map_path'])
    Image.fromarray(mask).save(path)
    assert 'inputs' in dataset[0]
    with pytest.raises(ValueError, match=rf'{path.name}: .*{message}'):
        dataset[1]


def test_a_mask_without_class_ids_is_named_in_training(shapes_root, tmp_path):
    root = shutil.copytree(shapes_root, tmp_path / 'copy')
    config = Config.fromfile(_CONFIGS / 'ablations/shapes/supervised_shapes.py')
    arguments = {**config.train_dataloader.dataset, 'data_root': str(root)}
    dataset = DATASETS.build(arguments)
    path = Path(dataset.get_data_info(1)['seg_map_path'])
    Image.open(path).convert('RGB').save(path)
    with pytest.raises(ValueError, match=rf'{path.name}: .*3 channels'):
        dataset[SeededIndex(1, seed=1)]


def test_a_mask_that_nothing_loads_is_not_looked_at(shapes_root, tmp_path):
    root = shutil.copytree(shapes_root, tmp_path / 'copy')
    pipeline = [{'type': 'LoadImageOrRaise'}, {'type': 'PackWSSSInputs'}]
    dataset = ShapesTagDataset(_LIST, data_root=str(root), pipeline=pipeline, test_mode=True)
    first, second = (Path(dataset.get_data_info(i)['seg_map_path']) for i in range(2))
    Image.open(first).convert('RGB').save(first)
    second.unlink()
    assert ['inputs' in dataset[index] for index in range(2)] == [True, True]


def test_a_mask_of_another_format_is_left_to_its_loader(shapes_root, tmp_path):
    root = shutil.copytree(shapes_root, tmp_path / 'copy')
    dataset = ShapesTagDataset(_LIST, data_root=str(root), pipeline=[_load_text], test_mode=True)
    path = Path(dataset.get_data_info(0)['seg_map_path'])
    path.write_text('0')
    assert dataset[0]['gt_seg_map'].shape == (1, 1)


def _load_text(results):
    return {**results, 'gt_seg_map': np.loadtxt(results['seg_map_path'], ndmin=2)}


def test_seed_decides_the_augmentation(shapes):
    first = shapes[SeededIndex(2, seed=1)]
    random.seed(5)
    np.random.seed(5)
    torch.manual_seed(5)
    assert _same(first, shapes[SeededIndex(2, seed=1)])
    assert not _same(first, shapes[SeededIndex(2, seed=2)])
    assert not torch.equal(shapes[2]['inputs']['view1'], shapes[2]['inputs']['view1'])


def test_seeded_sample_leaves_the_generators_alone(shapes):
    with random_state(0):
        expected = random.random(), np.random.rand(), torch.rand(2).tolist()
    with random_state(0):
        shapes[SeededIndex(0, seed=3)]
        assert (random.random(), np.random.rand(), torch.rand(2).tolist()) == expected


def test_testing_draws_no_random_number(shapes_root):
    dataset = ShapesTagDataset(_LIST, data_root=str(shapes_root), test_mode=True)
    state = torch.get_rng_state()
    assert dataset[1]['sample_seed'] == 1
    assert torch.equal(torch.get_rng_state(), state)


def test_checking_a_mask_draws_no_random_number(shapes_root):
    pipeline = [{'type': 'LoadImageOrRaise'}, {'type': 'LoadAnnotations'}]
    root = str(shapes_root)
    dataset = ShapesTagDataset(_LIST, data_root=root, pipeline=pipeline, load_masks=True)
    states = []
    for draw in (dataset.get_data_info, dataset.__getitem__):
        torch.manual_seed(0)
        draw(1)
        states.append(torch.get_rng_state())
    assert torch.equal(*states)


def test_seed_passes_through_wrappers(shapes):
    plain = shapes[SeededIndex(1, seed=4)]
    assert _same(plain, RepeatDataset(shapes, 3)[SeededIndex(7, seed=4)])
    assert _same(plain, ConcatDataset([shapes, shapes])[SeededIndex(7, seed=4)])


def _loader(root, pipeline, workers, batch_size):
    config = {
        'batch_size': batch_size,
        'num_workers': workers,
        'sampler': {'type': 'ReproducibleInfiniteSampler'},
        'dataset': {
            'type': 'ShapesTagDataset',
            'ann_file': _LIST,
            'data_root': str(root),
            'pipeline': pipeline,
        },
    }
    return Runner.build_dataloader(config, seed=3)


def test_same_batches_with_and_without_workers(shapes_root, training_pipeline):
    alone = iter(_loader(shapes_root, training_pipeline, 0, 2))
    helped = iter(_loader(shapes_root, training_pipeline, 2, 2))
    for _ in range(4):
        first, second = next(alone), next(helped)
        for name in ('view1', 'local', 'view2'):
            assert torch.equal(
                torch.stack(first['inputs'][name]), torch.stack(second['inputs'][name])
            )
        for one, other in zip(first['data_samples'], second['data_samples'], strict=True):
            assert one.metainfo == other.metainfo
            assert torch.equal(one.gt_tags, other.gt_tags)


def test_two_ranks_see_what_one_process_sees(monkeypatch, shapes_root, training_pipeline):
    where = 'wsss_plugin.datasets.reproducible_infinite_sampler.get_dist_info'
    single = next(iter(_loader(shapes_root, training_pipeline, 0, 4)))['inputs']['view1']
    ranks = []
    for rank in range(2):
        monkeypatch.setattr(where, lambda rank=rank: (rank, 2))
        ranks.append(next(iter(_loader(shapes_root, training_pipeline, 0, 2)))['inputs']['view1'])
    together = [image for pair in zip(*ranks, strict=True) for image in pair]
    assert torch.equal(torch.stack(together), torch.stack(single))


def test_missing_data_root():
    with pytest.raises(FileNotFoundError, match=r'data_root: expected a folder at /no/where'):
        DATASETS.build({'type': 'ShapesTagDataset', 'ann_file': 'x.txt', 'data_root': '/no/where'})


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'ann_file': 'nothing.txt'}, r'ann_file: expected a file at .*nothing\.txt'),
        ({'ann_file': _LIST, 'data_prefix': {'img_path': 'photos'}}, r"data_prefix\['img_path'\]"),
        ({'ann_file': _LIST, 'groups_file': 'g.json'}, r'groups_file: expected a file'),
    ],
)
def test_missing_files(shapes_root, arguments, message):
    with pytest.raises(FileNotFoundError, match=message):
        ShapesTagDataset(data_root=str(shapes_root), **arguments)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (b'["plain"]', 'expected an object'),
        (b'{', 'expected JSON'),
        ('{"ä": []}'.encode('cp1252'), 'expected text in UTF-8'),
    ],
)
def test_groups_that_are_not_understood(shapes_root, tmp_path, content, message):
    (tmp_path / 'groups.json').write_bytes(content)
    with pytest.raises(ValueError, match=rf'groups\.json: {message}'):
        ShapesTagDataset(
            _LIST, data_root=str(shapes_root), groups_file=str(tmp_path / 'groups.json')
        )


def test_empty_list(shapes_root, tmp_path):
    (tmp_path / 'empty.txt').write_text('\n')
    with pytest.raises(ValueError, match=r'empty\.txt: expected at least one image'):
        ShapesTagDataset(str(tmp_path / 'empty.txt'), data_root=str(shapes_root))


@pytest.mark.parametrize('classes', [(), ('background',), ('cat', 'dog')])
def test_classes_need_background_first(tmp_path, write_image, classes):
    write_image(tmp_path / 'images/a.png')
    (tmp_path / 'tags.json').write_text('{"a": []}')
    with pytest.raises(ValueError, match=r"metainfo\['classes'\]: expected 'background'"):
        ImageTagDataset('tags.json', data_root=str(tmp_path), metainfo={'classes': classes})


def test_truncated_image_stops_training(shapes_root, tmp_path, training_pipeline):
    root = tmp_path / 'copy'
    shutil.copytree(shapes_root, root)
    image = root / 'JPEGImages/train_00002.jpg'
    image.write_bytes(image.read_bytes()[:700])
    dataset = ShapesTagDataset(_LIST, data_root=str(root), pipeline=training_pipeline)
    with pytest.raises(RuntimeError, match=r'train_00002\.jpg: .*truncated'):
        dataset[2]


@pytest.mark.parametrize('number', [254, 255, 300])
def test_classes_that_eight_bits_hold(tmp_path, write_image, number):
    write_image(tmp_path / 'images/a.png')
    write_image(tmp_path / 'masks/a.png')
    (tmp_path / 'tags.json').write_text('{"a": ["c1"]}')
    names = [f'c{index}' for index in range(1, number + 1)]
    arguments = {'ann_file': 'tags.json', 'data_root': str(tmp_path)}
    opened = {'load_masks': True, 'pipeline': [dict(type='LoadAnnotations')]}
    few = {'classes': ('background', 'c1')}
    for options in (
        {'metainfo': {'classes': ('background', *names)}, **opened},
        {'metainfo': few, 'mask_classes': names},
    ):
        if number <= 254:
            ImageTagDataset(**arguments, **{**options, 'load_masks': False})
            continue
        message = rf'classes.*: expected at most 254 classes beside.*received {number}'
        with pytest.raises(ConfigError, match=message):
            ImageTagDataset(**arguments, **options)


def test_tags_alone_may_have_more_classes_than_a_mask(tmp_path, write_image):
    write_image(tmp_path / 'images/a.png')
    names = [f'c{index}' for index in range(1000)]
    (tmp_path / 'tags.json').write_text('{"a": ["c255", "c999"]}')
    dataset = ImageTagDataset(
        'tags.json', data_root=str(tmp_path), metainfo={'classes': ('background', *names)}
    )
    assert dataset[0]['gt_tags'].nonzero()[0].tolist() == [255, 999]


def test_classes_twice(tmp_path, write_image):
    write_image(tmp_path / 'images/a.png')
    (tmp_path / 'tags.json').write_text('{"a": ["cat"]}')
    classes = {'classes': ('background', 'cat', 'dog', 'cat')}
    with pytest.raises(ConfigError, match=r"metainfo\['classes'\]: .*received cat more than once"):
        ImageTagDataset('tags.json', data_root=str(tmp_path), metainfo=classes)


def test_two_images_with_one_mask(tmp_path, write_image):
    for name in ('a.png', 'a.jpg'):
        write_image(tmp_path / 'images' / name)
    (tmp_path / 'tags.json').write_text('{"a.png": ["cat"], "a.jpg": ["dog"]}')
    assert len(ImageTagDataset('tags.json', data_root=str(tmp_path))) == 2
    message = r'one entry for every mask, .*a\.png for image a\.jpg and image a\.png'
    with pytest.raises(DataError, match=message):
        ImageTagDataset('tags.json', data_root=str(tmp_path), test_mode=True)


def _as_jpeg(root):
    for path in (root / 'SegmentationClass').glob('*.png'):
        Image.open(path).convert('L').save(path, format='JPEG')


def _swap_classes(root):
    values = np.array([0, 2, 1, 4, 3, 6, 5, *range(7, 256)], np.uint8)
    for path in (root / 'SegmentationClass').glob('*.png'):
        Image.fromarray(values[np.array(Image.open(path))]).save(path)


@pytest.mark.parametrize('arguments', [{'test_mode': True}, {'load_masks': True}])
def test_masks_are_checked_before_anything_is_loaded(shapes_root, tmp_path, arguments):
    root = shutil.copytree(shapes_root, tmp_path / 'copy')
    masks = [{'type': 'LoadImageOrRaise'}, {'type': 'LoadAnnotations'}]
    arguments = {'ann_file': _LIST, 'data_root': str(root), 'pipeline': masks, **arguments}
    _swap_classes(root)
    torch.manual_seed(0)
    with pytest.warns(UserWarning, match=r'train\.txt: expected masks that show what the tags say'):
        ShapesTagDataset(**arguments)
    assert torch.equal(torch.rand(1), torch.manual_seed(0) and torch.rand(1))
    _as_jpeg(root)
    with pytest.raises(DataError, match='the format JPEG'):
        ShapesTagDataset(**arguments)
    # Neither without masks nor for a pipeline that opens none.
    ShapesTagDataset(**{**arguments, 'pipeline': masks[:1]})
    ShapesTagDataset(_LIST, data_root=str(root), pipeline=masks[:1])
