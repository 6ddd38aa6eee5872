"""The rows on photographs parse, build and differ as they say; no photograph is needed."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS, MODELS
from PIL import Image

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.engine.ablation import content_key

FOLDER = Path(__file__).parents[2] / 'configs' / 'voc_animals'
ROWS = sorted(str(path.relative_to(FOLDER).with_suffix('')) for path in FOLDER.rglob('*.py'))
EARLIER_ROWS = [row for row in ROWS if row.startswith('pytorch_init')]
# Those with class tokens for each class have 3000 iterations.
OTHER_BUDGETS = ('toco_reference_setting', 'mctformer', 'clustercam')
WEAK_ROWS = [row for row in ROWS if row not in ('cam_mobilenet', 'supervised')]


def load(row):
    init_default_scope('mmseg')
    return Config.fromfile(FOLDER / f'{row}.py')


@pytest.mark.parametrize('row', ROWS)
def test_builds_on_one_grid(row):
    config = load(row)
    model = MODELS.build(config.model).eval()
    with torch.no_grad():
        image = torch.zeros(1, 3, 224, 224)
        assert model(image, mode='tensor').shape[:2] in {(1, 7), (1, 6)}
        if 'cnn' in model.cams:
            backbone = getattr(model, 'shown', model).backbone
            features = backbone.forward_features(image, ['cnn', 'patch'])
            assert features['cnn'].shape == (1, 320, 14, 14)
            assert features['patch'].shape == (1, 192, 14, 14)


@pytest.mark.parametrize('row', [row for row in ROWS if row not in OTHER_BUDGETS])
def test_one_budget(row):
    config, base = load(row), load('toco')
    assert config.train_cfg == base.train_cfg
    assert config.train_dataloader.batch_size == base.train_dataloader.batch_size
    for schedule in config.param_scheduler.values():
        assert schedule[-1]['end'] == base.max_iters + 1


@pytest.mark.parametrize('row', ['mctformer', 'clustercam'])
def test_class_tokens_have_three_times_the_budget(row):
    config = load(row)
    linear, drop, poly = config.param_scheduler.vit
    assert config.train_cfg.max_iters == 3000
    assert (linear.end, drop.milestones, poly.begin, poly.end) == (301, [300], 300, 3001)
    terms = config.model.terms
    assert set(terms) == {'maps', 'tokens'} | ({'seg'} if row == 'clustercam' else set())
    assert row == 'mctformer' or terms.seg.start * 3000 == 1875


def test_dupl_differs_from_the_dual_branch_as_it_says():
    config, base = load('dupl'), load('all')
    for student in config.model.students.values():
        assert student.labels.pixel.pop('filters').noise.type == 'GMMNoiseFilter'
        assert [name for name, term in student.terms.items() if term is None] == ['ctc', 'seg']
        for key in ('backbone', 'decode_head', 'cams', 'thresholds', 'multi_scale'):
            assert student[key] == base.model[key]
        assert student.labels.pixel == base.model.labels.pixel
    assert config.model.terms.cross.start == base.model.terms.seg.start
    ends, expected = (
        [hook.end for hook in one.custom_hooks if hook.type == 'CosineThresholdHook']
        for one in (config, base)
    )
    assert ends == expected
    assert len(ends) == 1


def test_only_the_optimiser_of_the_cnn_differs():
    config, base = load('all_adamw'), load('all')
    assert content_key(config) != content_key(base)
    assert config.optim_wrapper.optimizers.cnn.type == 'AdamW'
    config.optim_wrapper.optimizers.cnn = base.optim_wrapper.optimizers.cnn
    assert content_key(config) == content_key(base)


@pytest.mark.parametrize('row', ['dual', 'all', 'all_adamw'])
def test_only_the_branches_that_loss_1_teaches_differ(row):
    config, mutual = load(row), load(f'{row}_mutual')
    losses = [MODELS.build(one.model.terms.consistency.loss) for one in (config, mutual)]
    assert [loss.detach for loss in losses] == ['second', 'none']
    mutual.model.terms.consistency.loss.detach = 'second'
    assert content_key(config) == content_key(mutual)


@pytest.mark.parametrize('row', ['toco', 'dual', 'all'])
def test_first_weights_of_the_transformers_cam_heads(row):
    for name in ('final', 'aux'):
        head = MODELS.build(dict(load(row).model.cams[name], num_classes=6))
        head.init_weights()
        assert head.classifier.weight.std().item() == pytest.approx(0.02, rel=0.1)


@pytest.mark.parametrize('row', ['toco', 'dual', 'all', 'all_adamw'])
def test_only_the_first_weights_of_the_transformers_cam_heads_differ(row):
    mutual = row if row == 'toco' else f'{row}_mutual'
    config, earlier = load(mutual), load(f'pytorch_init/{row}')
    assert content_key(config) != content_key(earlier)
    for name in ('final', 'aux'):
        earlier.model.cams[name].init_cfg = config.model.cams[name].init_cfg
    assert content_key(config) == content_key(earlier)


@pytest.mark.parametrize('row', [*EARLIER_ROWS, 'toco_reference_setting', '../best_voc_animals'])
def test_pytorchs_first_weights(row):
    """192 inputs: uniform between -1 / sqrt(192) and 1 / sqrt(192)."""
    for name in ('final', 'aux'):
        head = MODELS.build(dict(load(row).model.cams[name], num_classes=6))
        head.init_weights()
        assert head.classifier.weight.std().item() == pytest.approx((3 * 192) ** -0.5, rel=0.1)


def test_only_the_auxiliary_heads_first_weights_and_loss_12_differ():
    config, best = load('best_weak_ctc'), load('../best_voc_animals')
    assert content_key(config) != content_key(best)
    assert config.model.cams.aux.init_cfg == load('all').model.cams.aux.init_cfg
    assert (config.model.terms.ctc.weight, best.model.terms.ctc.weight) == (0.1, 0.5)
    best.model.terms.ctc.weight = 0.1
    best.model.cams.aux.init_cfg = config.model.cams.aux.init_cfg
    assert content_key(config) == content_key(best)


@pytest.mark.parametrize(
    ('row', 'gates'),
    [
        ('all', (True, True)),
        ('dual_both', (True, True)),
        ('dual_channel', (True, False)),
        ('dual_spatial', (False, True)),
        ('dual', None),
        ('dual_threshold', None),
    ],
)
def test_modulations(row, gates):
    backbone = MODELS.build(load(row).model.backbone)
    found = {
        (module.channel_layers is not None, module.spatial_layers is not None)
        for module in backbone.modulations
    }
    assert found == ({gates} if gates else set())
    # One for each block with a shortcut in the three stages.
    assert len(backbone.modulations) == (5 if gates else 0)


def test_ceiling_has_the_same_network_and_masks():
    ceiling, row = load('supervised'), load('all')
    assert ceiling.model.backbone == row.model.backbone.vit
    same = ('type', 'in_channels', 'num_classes')
    assert [ceiling.model.decode_head[key] for key in same] == [
        row.model.decode_head[key] for key in same
    ]
    assert ceiling.train_dataloader.dataset.load_masks


@pytest.mark.parametrize('row', WEAK_ROWS)
def test_training_reads_no_mask(row):
    dataset = load(row).train_dataloader.dataset
    assert not dataset.get('load_masks', False)
    assert 'LoadAnnotations' not in str(dataset.pipeline)


def test_data_set_reads_the_cut_folder(tmp_path):
    settings = load('toco').val_dataloader.dataset
    folder = tmp_path / 'ImageSets' / 'Segmentation'
    for path in (folder, tmp_path / 'JPEGImages'):
        path.mkdir(parents=True)
    (folder / 'val.txt').write_text('b\n')
    names = ', '.join(f'"{name}"' for name in settings.metainfo.classes)
    labels = '{"a": [1], "b": [4, 6]}'
    (tmp_path / 'tags.json').write_text(f'{{"classes": [{names}], "labels": {labels}}}')
    for name in 'ab':
        (tmp_path / 'JPEGImages' / f'{name}.jpg').write_bytes(b'')
    (tmp_path / 'SegmentationClass').mkdir()
    mask = Image.fromarray(np.array([[0, 4, 6, 255]], np.uint8))
    mask.save(tmp_path / 'SegmentationClass' / 'b.png')
    dataset = DATASETS.build(dict(settings, data_root=str(tmp_path), lazy_init=False))
    assert len(dataset) == 1
    assert dataset.get_data_info(0)['gt_tags'].tolist() == [0, 0, 0, 1, 0, 1]
