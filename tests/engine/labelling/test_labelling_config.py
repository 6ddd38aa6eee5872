import math
from pathlib import Path

import pytest
from mmengine.config import Config
from tiny_training import NARROW_HEAD, NARROW_VIT, changed, train

from wsss_plugin.engine.config_reading.read_config import read_config
from wsss_plugin.engine.labelling import (
    PRESETS,
    PretrainedFiles,
    TaggedFolder,
    config_text,
    stages_text,
)


@pytest.mark.parametrize('backbone', ['scratch', 'small'])
def test_the_config_inherits_and_says_what_there_is(folder, backbone):
    data = TaggedFolder(folder / 'pictures', folder / 'words' / 'tags.json')
    weights = PretrainedFiles(vit=Path('/w/vit.pth'))
    text = config_text(data, PRESETS[backbone], weights, 2, 321, folder / 'out')
    (folder / 'config.py').write_text(text)
    config = read_config(folder / 'config.py')
    trained, scored = config.train_dataloader, config.val_dataloader
    batch = {'scratch': 4, 'small': 2}[backbone]
    assert (trained.batch_size, config.train_cfg.max_iters) == (batch, 321)
    assert trained.dataset.list_file == str(folder / 'out' / 'train.txt')
    assert scored.dataset.list_file == str(folder / 'out' / 'held_out.txt')
    assert (trained.dataset.data_root, trained.dataset.ann_file) == (str(folder), 'words/tags.json')
    assert trained.dataset.data_prefix.img_path == 'pictures'
    assert config.model.decode_head.num_classes == 3
    if backbone == 'small':
        assert config.model.backbone.vit.pretrained == '/w/vit.pth'
        assert config.model.backbone.cnn.init_cfg.checkpoint == 'mmcls://mobilenet_v2'
    else:
        assert trained.num_workers == 0
    without = config_text(data, PRESETS[backbone], weights, 1, 1, None)
    assert 'train_list = None' in without
    assert 'masks = ' not in without
    text = config_text(data, PRESETS[backbone], weights, 1, 1, None, '/elsewhere/drawn')
    (folder / 'config.py').write_text(text)
    prefix = read_config(folder / 'config.py').test_dataloader.dataset.data_prefix
    assert prefix.seg_map_path == '/elsewhere/drawn'


def test_masks_are_of_all_images_and_among_their_tags(folder):
    (folder / 'some.txt').write_text('02\n')
    data = TaggedFolder(
        folder / 'pictures', folder / 'words' / 'tags.json', list_file=folder / 'some.txt'
    )
    (folder / 'stages.py').write_text(stages_text(data))
    stages = Config.fromfile(folder / 'stages.py').stages
    assert list(stages) == ['train', 'masks']
    assert stages.train == dict(train='config.py', options=dict(no_validation=True))
    options = dict(segmentation=True, least=0.02, tta=True, refine='crf', crf_workers=1)
    assert stages.masks.options == options
    assert stages.masks.cfg_options == {
        'train_dataloader.dataset.list_file': str(folder / 'some.txt')
    }
    text = stages_text(data, tags=False, augmented=False, crf=False)
    assert 'options=dict(segmentation=True, no_tags=True, crf_workers=1)' in text


@pytest.mark.training
@pytest.mark.parametrize(
    ('backbone', 'cnn', 'channels'),
    [('small', dict(widen_factor=0.1), 32), ('base', dict(base_channels=4, stem_channels=4), 128)],
)
def test_presets_of_photographs_are_trained(folder, backbone, cnn, channels):
    data = TaggedFolder(folder / 'pictures', folder / 'words' / 'tags.json')
    text = config_text(data, PRESETS[backbone], PretrainedFiles(), 1, 100, None)
    (folder / 'config.py').write_text(text)
    options = {'image_size': 64, 'vit_weights': False, 'cnn_weights': False}
    config = read_config(folder / 'config.py', options)
    model = config.model
    model.backbone.vit.model_args = dict(NARROW_VIT, img_size=64)
    model.backbone.cnn.update(cnn)
    model.decode_head.update(NARROW_HEAD, in_channels=24)
    for name, width in dict(final=24, aux=24, cnn=channels).items():
        model.cams[name].in_channels = width
    model.terms.ctc.projection_head.update(
        in_channels=24, hidden_channels=8, bottleneck_channels=8, out_channels=8
    )
    model.terms.ctc.local_crops.num = 2
    trained, before, losses = train(config, folder / 'work')
    assert len(losses) == 2
    assert all(math.isfinite(value) for step in losses for value in step.values())
    assert {'loss_cls_final', 'loss_consistency_final', 'loss_ctc', 'loss_seg'} <= set(losses[0])
    # As likely as not, of each of two classes.
    assert losses[0]['loss_cls_cnn'] == pytest.approx(math.log(2), abs=0.2)
    assert {'backbone.vit', 'backbone.cnn', 'cams.final', 'cams.cnn'} <= changed(trained, before)
