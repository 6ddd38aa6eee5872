import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample
from reference_networks import build, cam_config

from wsss_plugin.engine.label_sweep import sweep_labels
from wsss_plugin.engine.walk_pictures import walk_pictures
from wsss_plugin.errors import ConfigError, DataError
from wsss_plugin.ops import alpha_scores


@pytest.fixture
def model():
    torch.manual_seed(0)
    head = dict(
        type='AffinityHead',
        in_channels=(16, 32, 64),
        channels=(4, 4, 8),
        radius=2,
        reads=('layer2', 'layer3', 'layer4'),
    )
    maker = dict(type='RandomWalkLabels', cams=('final',), steps=3)
    changes = dict(
        heads=dict(affinity=head),
        labels=dict(
            walk=maker,
            pixel=dict(type='PixelLabels', cams=('final',), thresholds=dict(low=0.2, high=0.4)),
        ),
        multi_scale=dict(scales=(1.0,)),
        data_preprocessor=dict(type='MultiViewDataPreProcessor', mean=[0.0] * 3, std=[1.0] * 3),
    )
    return build(cam_config(**changes)).eval()


def _item(with_mask=True):
    sample = SegDataSample(
        metainfo=dict(img_path='/d/a.jpg', img_shape=(64, 64), ori_shape=(64, 64))
    )
    if with_mask:
        sample.gt_sem_seg = PixelData(data=torch.arange(64).ge(32).long().expand(1, 64, 64))
    torch.manual_seed(1)
    return dict(inputs=torch.rand(3, 64, 64), data_samples=sample)


def _tagged(model, item):
    item['data_samples'].gt_tags = torch.ones(model.num_foreground)
    return item


def test_every_combination_is_scored_as_if_it_stood_in_the_config(model):
    items = [_tagged(model, _item())]
    scores = sweep_labels(model, 'walk', items, {'alpha': [1, 40], 'steps': [0, 5]})
    assert set(scores) == {(1, 0), (1, 5), (40, 0), (40, 5)}
    assert (model.labels['walk'].alpha, model.labels['walk'].steps) == (16, 3)
    (alone,) = sweep_labels(model, 'walk', items, {'alpha': [40]}).values()
    model.labels['walk'].steps = 5
    (other,) = sweep_labels(model, 'walk', items, {'alpha': [40]}).values()
    assert other == pytest.approx(scores[40, 5], nan_ok=True)
    assert alone != pytest.approx(scores[40, 0], nan_ok=True)
    # A higher power leaves less background.
    wrong = 'background_as_foreground'
    assert scores[40, 0][wrong] > scores[1, 0][wrong]


def test_unknown_values_and_missing_masks_are_named(model):
    with pytest.raises(ConfigError, match=r"RandomWalkLabels.*'alpha'.*received \['power'\]"):
        sweep_labels(model, 'walk', [], {'power': [1]})
    with pytest.raises(DataError, match=r'/d/a\.jpg'):
        sweep_labels(model, 'walk', [_tagged(model, _item(with_mask=False))], {'beta': [1]})


def test_pictures_of_a_walk(model):
    item = _tagged(model, _item())
    batch = model.batch(item['inputs'][None], [item['data_samples']])
    walk = walk_pictures(model, 'walk', batch, steps=(0, 4), reach=(0, 1))
    assert model.labels['walk'].steps == 3
    # Without a step the scores are those of the cells.
    (cam,) = batch.cams(['final'])
    scores = alpha_scores(cam, batch.tags, 16)
    cells = F.adaptive_avg_pool2d(scores, (8, 8))
    start = F.interpolate(cells, (64, 64), mode='bilinear', align_corners=False)[0]
    np.testing.assert_allclose(walk.scores[0], start, atol=1e-6)
    assert np.abs(walk.scores[4] - walk.scores[0]).max() > 0.01
    foreground = start[1:].amax(dim=0).numpy()
    assert walk.pixel == np.unravel_index(foreground.argmax(), foreground.shape)
    row, column = (side // 8 for side in walk.pixel)
    expected = np.zeros((64, 64))
    expected[8 * row : 8 * row + 8, 8 * column : 8 * column + 8] = 1
    assert np.array_equal(walk.reach[0], expected)
    # A step leads to the next cells only, and leaves something behind.
    reached = walk.reach[1][::8, ::8]
    assert np.array_equal(walk.reach[1], reached.repeat(8, 0).repeat(8, 1))
    near = np.zeros((8, 8), bool)
    near[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2] = True
    assert np.array_equal(reached > 0, near)
    assert 0 < reached[row, column] < 1


def test_only_a_walk_can_be_drawn(model):
    with pytest.raises(ConfigError, match=r'expected RandomWalkLabels as labels\.pixel'):
        walk_pictures(model, 'pixel', None, steps=(0,))
