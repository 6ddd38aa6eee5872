"""Configs for kinds of images, made small and trained on a generated set of that kind."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from PIL import Image
from tiny_training import CONFIGS, NARROW_HEAD, NARROW_VIT, changed, train

from wsss_plugin.engine.config_reading.read_config import read_config
from wsss_plugin.ops import frequency_weights

SIDE = 64


def picture(rng, size, backdrop=110):
    """A noisy grey picture (H, W, 3)."""
    noise = rng.normal(0, 12, (*size, 1))
    return np.repeat(np.clip(backdrop + noise, 0, 255), 3, axis=2)


def write(root, pictures, tags):
    """Writes a data set with a CSV of tags."""
    (root / 'images').mkdir()
    for name, image in pictures.items():
        Image.fromarray(image.astype(np.uint8)).save(root / 'images' / f'{name}.png')
    lines = [f'{name}.png,{";".join(tags[name])}' for name in pictures]
    (root / 'tags.csv').write_text('\n'.join(['image,tags', *lines]) + '\n')


def one_class(root, rng):
    """Green discs on grey, and grey alone."""
    rows, columns = np.mgrid[:80, :72]
    pictures, tags = {}, {}
    for index in range(4):
        image = picture(rng, (80, 72))
        tags[f'p{index}'] = ['tree'] if index % 2 else []
        if index % 2:
            row, column = rng.integers(20, 50, 2)
            image[(rows - row) ** 2 + (columns - column) ** 2 < 200] = (40, 150, 40)
        pictures[f'p{index}'] = image
    write(root, pictures, tags)


def many_classes(root, rng):
    """Plain colours with tags from a list of a thousand names."""
    pictures = {f'p{n}': picture(rng, (72, 72), 40 + 50 * n) for n in range(4)}
    write(root, pictures, dict.fromkeys(pictures, ()))
    names = [f'class {number:04d}' for number in range(1000)]
    labels = {'p0': [255], 'p1': [1, 1000], 'p2': [256, 500], 'p3': []}
    file = dict(classes=['background', *names], labels=labels)
    (root / 'tags.json').write_text(json.dumps(file))


def small_defects(root, rng):
    """Textured metal with a scratch of 2 x 12 or a spot of 4 x 4 pixels."""
    pictures, tags = {}, {}
    for index, found in enumerate((['scratch'], ['spot'], [], ['scratch', 'spot'])):
        image = picture(rng, (80, 80))
        row, column = rng.integers(16, 60, 2)
        if 'scratch' in found:
            image[row : row + 2, column : column + 12] = 230
        if 'spot' in found:
            image[column : column + 4, row : row + 4] = 20
        pictures[f'p{index}'], tags[f'p{index}'] = image, found
    write(root, pictures, tags)


def remote_sensing(root, rng):
    """Scenes of 150 x 210 pixels with roofs, a lake and a road."""
    pictures, tags = {}, {}
    for index, found in enumerate((['building', 'road'], ['water'], ['building'], [])):
        scene = picture(rng, (150, 210), backdrop=90)
        if 'building' in found:
            scene[20:50, 30:60] = scene[90:120, 150:190] = (170, 80, 70)
        if 'water' in found:
            scene[60:140, 20:180] = (30, 60, 110)
        if 'road' in found:
            scene[70:78] = 160
        pictures[f'p{index}'], tags[f'p{index}'] = scene, found
    write(root, pictures, tags)


def class_imbalance(root, rng):
    """Eight images of a common class, one of them with a rare one too."""
    pictures = {f'p{n}': picture(rng, (72, 72), 80 + 10 * n) for n in range(8)}
    write(root, pictures, {name: ['common', *(['rare'] * (name == 'p5'))] for name in pictures})


KINDS = dict(
    one_class=one_class,
    many_classes=many_classes,
    small_defects=small_defects,
    remote_sensing=remote_sensing,
    class_imbalance=class_imbalance,
)


def small(name, root):
    """The config with narrow networks and crops of 64 pixels."""
    config = Config.fromfile(CONFIGS / 'domains' / f'{name}.py')
    model, loader = config.model, config.train_dataloader
    patch = 8 if 'patch8' in model.backbone.vit.model_name else 16
    arguments = dict(NARROW_VIT, img_size=SIDE, patch_size=patch)
    model.backbone.vit.update(pretrained=False, model_args=arguments)
    model.backbone.cnn.update(widen_factor=0.1, init_cfg=None)
    model.data_preprocessor.size = (SIDE, SIDE)
    model.decode_head.update(NARROW_HEAD, in_channels=24)
    for source, channels in dict(final=24, aux=24, cnn=32).items():
        model.cams[source].in_channels = channels
    model.labels.pixel.refine.update(dilations=(1, 2), num_iter=2)
    model.multi_scale.scales = (1.0,)
    model.terms.ctc.local_crops.update(num=2, size=32)
    model.terms.ctc.projection_head.update(
        in_channels=24, hidden_channels=8, bottleneck_channels=8, out_channels=8
    )
    loader.dataset.data_root = str(root)
    loader.dataset.pipeline[1].crop_size = SIDE
    return config


def run(name, tmp_path):
    """Trains on a generated set; gives the model, its first weights and the losses."""
    root = tmp_path / 'data'
    root.mkdir()
    KINDS[name](root, np.random.default_rng(0))
    model, before, losses = train(small(name, root), tmp_path / name)
    assert len(losses) == 2
    assert all(math.isfinite(value) for step in losses for value in step.values())
    assert {'backbone.vit', 'backbone.cnn', 'cams.final', 'cams.cnn'} <= changed(model, before)
    return model, losses


@pytest.mark.parametrize('name', [name for name in KINDS if name != 'many_classes'])
def test_a_config_that_inherits_sets_folder_and_classes_once(name, tmp_path):
    file = tmp_path / 'own.py'
    base = str(CONFIGS / 'domains' / f'{name}.py')
    file.write_text(
        f"_base_ = {base!r}\ndata_root = 'elsewhere'\n"
        "classes = ('background', 'a', 'b', 'c', 'd')\n"
    )
    config = read_config(file)
    assert config.model.decode_head.num_classes == 5
    for split in ('train', 'val', 'test'):
        dataset = config[f'{split}_dataloader'].dataset
        assert (dataset.data_root, len(dataset.metainfo.classes)) == ('elsewhere', 5)


@pytest.mark.training
def test_one_class_and_background(tmp_path):
    model, losses = run('one_class', tmp_path)
    assert (model.num_classes, model.cams['final'].num_classes) == (2, 1)
    # Two untrained classifiers, of which each says for each of two answers: as likely as not.
    assert losses[0]['loss_cls_cnn'] == pytest.approx(math.log(2), abs=0.2)


@pytest.mark.training
def test_a_thousand_classes(tmp_path):
    model, _ = run('many_classes', tmp_path)
    assert model.cams['final'].num_classes == 1000
    assert model.decode_head.ignore_index == -1


@pytest.mark.training
def test_small_defects(tmp_path):
    model, _ = run('small_defects', tmp_path)
    image = torch.zeros(1, 3, SIDE, SIDE)
    maps = model.backbone.forward_features(image, ['patch', 'cnn'])
    assert {tuple(one.shape[-2:]) for one in maps.values()} == {(SIDE // 8, SIDE // 8)}


@pytest.mark.training
def test_a_large_scene_is_segmented_by_windows(tmp_path):
    model, _ = run('remote_sensing', tmp_path)
    model.eval().test_cfg.update(crop_size=(SIDE, SIDE), stride=(43, 43), cam=False)
    sizes = []
    model.decode_head.register_forward_hook(lambda *call: sizes.append(call[-1].shape[-2:]))
    scene = torch.zeros(1, 3, 150, 210)
    meta = dict(ori_shape=(150, 210), img_shape=(150, 210))
    with torch.no_grad():
        logits = model.inference(scene, [meta])
    assert logits.shape == (1, 4, 150, 210)
    assert set(sizes) == {(SIDE // 16, SIDE // 16)}
    assert len(sizes) == 3 * 5


@pytest.mark.training
def test_a_rare_class_weighs_more(tmp_path):
    model, _ = run('class_imbalance', tmp_path)
    weight = model.terms['cls'].loss.class_weight
    torch.testing.assert_close(weight, frequency_weights([8, 1], power=0.5))
    assert weight[1] > 2 * weight[0]
    assert not [key for key in model.state_dict() if 'class_weight' in key]


def test_a_number_that_is_a_class_marks_nothing_as_ignored(tmp_path):
    init_default_scope('mmseg')
    config = small('many_classes', tmp_path)
    config.model.labels.token.ignore_index = config.model.terms.ptc.loss.ignore_index = 255
    message = r'model\.labels\.token and model\.terms\.ptc\.loss to be no class, received 255'
    with pytest.raises(ValueError, match=message):
        MODELS.build(config.model)
    config.model.labels.token.ignore_index = -1
    message = r'one ignore_index of model\.labels\.token and .*received -1 and 255'
    with pytest.raises(ValueError, match=message):
        MODELS.build(config.model)
