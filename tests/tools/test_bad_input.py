"""Bad input on the command line: what to correct is named, and what was trained is kept."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

ROOT = Path(__file__).parents[2]
CONFIG = str(ROOT / 'configs' / 'dual_vit_r18_shapes.py')


@pytest.fixture
def spoilt(shapes, tmp_path):
    """A copy of the data set, to be damaged."""
    return shutil.copytree(shapes, tmp_path / 'data')


def cut(path: Path) -> bytes:
    """Cuts a file short and returns what it was."""
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return content


@pytest.mark.filterwarnings('ignore:expected masks for validation')
def test_missing_data_root(run, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'data_root: expected a folder at .*nowhere'):
        run('train', tmp_path / 'nowhere')


def test_missing_data_root_in_a_test(run, checkpoint, tmp_path):
    with pytest.raises(FileNotFoundError, match=r'data_root: expected a folder at .*nowhere'):
        run('test', tmp_path / 'nowhere', checkpoint=checkpoint)


# Without shuffling the fourth image is in the second iteration.
IN_ORDER = ('train_dataloader.sampler.shuffle=False', 'train_cfg.max_iters=4')


def test_nothing_is_lost_by_a_truncated_image(run, spoilt, tmp_path):
    image = spoilt / 'JPEGImages' / 'train_00003.jpg'
    whole = cut(image)
    with pytest.raises(RuntimeError, match=rf'^{re.escape(str(image))}: .*truncated.*replace'):
        run('train', spoilt, *IN_ORDER)
    image.write_bytes(whole)
    run('train', spoilt, *IN_ORDER, flags=['--resume'])
    resumed = torch.load(tmp_path / 'work' / 'iter_4.pth', weights_only=True)
    run('train', spoilt, *IN_ORDER, work_dir=tmp_path / 'whole')
    expected = torch.load(tmp_path / 'whole' / 'iter_4.pth', weights_only=True)
    assert resumed['meta']['iter'] == expected['meta']['iter'] == 4
    for name, weight in expected['state_dict'].items():
        torch.testing.assert_close(resumed['state_dict'][name], weight, atol=1e-6, rtol=0)


def test_truncated_image_in_a_worker(run, spoilt, tmp_path):
    cut(spoilt / 'JPEGImages' / 'train_00003.jpg')
    with pytest.raises(RuntimeError, match=r'train_00003\.jpg: .*truncated.*replace'):
        run('train', spoilt, *IN_ORDER, 'train_dataloader.num_workers=1')
    assert (tmp_path / 'work' / 'iter_1.pth').is_file()


VALIDATED = ('train_cfg.max_iters=2', 'train_cfg.val_interval=1')


def test_truncated_image_of_the_validation(run, spoilt, tmp_path):
    cut(spoilt / 'JPEGImages' / 'val_00001.jpg')
    with pytest.raises(RuntimeError, match=r'val_00001\.jpg: .*truncated.*replace'):
        run('train', spoilt, *VALIDATED)
    assert (tmp_path / 'work' / 'iter_1.pth').is_file()


def test_truncated_mask_of_the_validation(run, spoilt, tmp_path):
    """Some masks are looked at before anything is trained, here all."""
    cut(spoilt / 'SegmentationClass' / 'val_00001.png')
    with pytest.raises(RuntimeError, match=r'val_00001\.png: .*truncated.*replace'):
        run('train', spoilt, *VALIDATED)
    assert not (tmp_path / 'work' / 'iter_1.pth').exists()


def test_tag_that_is_no_class(run, spoilt):
    annotation = spoilt / 'Annotations' / 'train_00002.xml'
    tag = r'<name>\w+</name>'
    annotation.write_text(re.sub(tag, '<name>dragon</name>', annotation.read_text()))
    message = r"train_00002\.xml: expected tags among .*disc_red.*received 'dragon'.*correct"
    with pytest.raises(ValueError, match=message):
        run('train', spoilt)


def test_image_without_tags(run, spoilt):
    annotation = spoilt / 'Annotations' / 'train_00002.xml'
    objects = re.compile('<object>.*</object>', re.DOTALL)
    annotation.write_text(objects.sub('', annotation.read_text()))
    message = r'train_00002\.xml: expected at least one tag.*require_tags=False'
    with pytest.raises(ValueError, match=message):
        run('train', spoilt)


def test_number_of_classes_in_a_checkpoint(run, shapes, checkpoint, tmp_path):
    content = checkpoint.read_bytes()
    fewer = ['model.decode_head.num_classes=5']
    message = r'expected cams\.aux\.classifier\.weight of shape \(4, .*received \(6, .*classes'
    with pytest.raises(ValueError, match=message):
        run('test', shapes, *fewer, checkpoint=checkpoint)
    with pytest.raises(ValueError, match=message):
        run('train', shapes, *fewer, f'load_from={checkpoint}', work_dir=tmp_path / 'trained')
    assert checkpoint.read_bytes() == content


def test_a_checkpoint_that_does_not_belong_to_config_or_data(run, shapes, checkpoint):
    whole = torch.load(checkpoint, weights_only=True)

    def refused(message, **changes):
        torch.save({**whole, **changes}, checkpoint)
        with pytest.raises(ValueError, match=message):
            run('test', shapes, checkpoint=checkpoint)

    weights = whole['state_dict']
    # As tools/publish_model.py leaves them.
    kept = {name: weight for name, weight in weights.items() if 'decode_head' in name}
    refused(r'expected all \d+ weights .*iter_1\.pth, received none for \d+', state_dict=kept)
    name = 'decode_head.conv_seg.bias'
    spoilt = {**weights, name: weights[name] * float('nan')}
    refused(r'finite weights in .*iter_1\.pth.*decode_head\.conv_seg\.bias', state_dict=spoilt)
    meta = dict(whole['meta'])
    first, second, third, *others = meta['dataset_meta']['classes']
    meta['dataset_meta'] = dict(classes=(first, third, second, *others))
    refused(rf"expected the classes .*'{second}' instead of '{third}' as number 1", meta=meta)
    with pytest.raises(ValueError, match='expected the classes in train_dataloader'):
        run('train', shapes, flags=['--resume', str(checkpoint)])


def test_truncated_checkpoint(run, shapes, checkpoint):
    cut(checkpoint)
    with pytest.raises(RuntimeError, match=r'complete checkpoint in .*iter_1\.pth'):
        run('test', shapes, checkpoint=checkpoint)


@pytest.mark.parametrize(
    ('option', 'message'),
    [
        ('model.thresholds.low=0.8', r'model\.thresholds, received low=0\.8 and high=0\.\d+'),
        ('custom_hooks.0.end=0.9', r'CosineThresholdHook, received start=0\.\d+, end=0\.9'),
        ('custom_hooks.0.end=0.01', r'received low=0\.\d+, end=0\.01; lower the one or raise'),
    ],
)
def test_order_of_the_thresholds(run, shapes, option, message):
    assert Config.fromfile(CONFIG).custom_hooks[0].type == 'CosineThresholdHook'
    with pytest.raises(ValueError, match=message):
        run('train', shapes, option)
