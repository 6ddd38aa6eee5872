from pathlib import Path

import pytest
from mmengine.config import Config

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
