from __future__ import annotations

import numpy as np
import pytest
import torch

from wsss_plugin.datasets.transforms import MultiCropViews, RandomScaleCropWithBox

_OFF = {'jitter_prob': 0, 'grey_prob': 0, 'blur_prob': 0, 'solarise_prob': 0}


def _still(**kwargs) -> MultiCropViews:
    return MultiCropViews(view1=_OFF, local=_OFF, view2=_OFF, **kwargs)


def _coded(height: int = 40, width: int = 60) -> np.ndarray:
    rows, cols = np.mgrid[:height, :width]
    return np.stack([rows * 4, cols * 4, np.full_like(rows, 200)], axis=-1).astype(np.uint8)


@pytest.mark.parametrize('seed', range(6))
def test_view1_and_local_are_the_crop(seed):
    torch.manual_seed(seed)
    results = _still()(RandomScaleCropWithBox(32)({'img': _coded()}))
    assert np.array_equal(results['views']['view1'], results['img'])
    assert np.array_equal(results['views']['local'], results['img'])
    row0, row1, col0, col1 = results['box']
    inside = results['views']['view1'][..., 2] == 200
    assert inside[row0:row1, col0:col1].all()
    assert inside.sum() == (row1 - row0) * (col1 - col0)


def test_view1_and_local_have_their_own_colours():
    torch.manual_seed(0)
    results = MultiCropViews()(RandomScaleCropWithBox(32)({'img': _coded()}))
    views = results['views']
    assert not np.array_equal(views['view1'], views['local'])
    assert {view.shape for view in views.values()} == {(32, 32, 3)}
    assert {view.dtype for view in views.values()} == {np.dtype(np.uint8)}


@pytest.mark.parametrize('flip', [0.0, 1.0])
def test_view2_is_a_part_of_the_untouched_image(flip):
    torch.manual_seed(0)
    image = _coded()
    # The crop is black, so that whatever view 2 shows comes from the image itself.
    results = {'img': np.zeros((32, 32, 3), np.uint8), 'ori_img': image}
    shares = []
    for _ in range(40):
        view = _still(view2_flip_prob=flip)(dict(results))['views']['view2'].astype(int)
        assert view.shape == (32, 32, 3)
        assert (view[..., 2] == 200).all()
        rows, cols = view[:, 16, 0] / 4, view[16, :, 1] / 4
        assert (np.diff(rows) >= 0).all()
        assert (np.diff(cols) * (-1 if flip else 1) >= 0).all()
        shares.append(np.ptp(rows) * np.ptp(cols) / (40 * 60))
    assert min(shares) > 0.33
    assert max(shares) > 0.75


def test_whole_image_when_the_scale_is_one():
    image = np.full((32, 32, 3), 9, np.uint8)
    image[:, :16] = 100
    crop = _still(view2_scale=(1, 1), view2_ratio=(1, 1), view2_flip_prob=0)
    view = crop({'img': image, 'ori_img': image})['views']['view2']
    assert np.array_equal(view, image)


def test_channel_order_is_kept_and_respected():
    """Grey of pure blue (BGR) is 29 of 255; read as red it would be 76."""
    blue = np.zeros((8, 8, 3), np.uint8)
    blue[..., 0] = 255
    grey = {**_OFF, 'grey_prob': 1}
    views = MultiCropViews(view1=grey, local=_OFF, views=('view1', 'local'))({'img': blue})['views']
    assert (views['view1'] == 29).all()
    assert np.array_equal(views['local'], blue)
    assert 'view2' not in views


def test_published_defaults():
    photometric = MultiCropViews().photometric
    blur = {name: augment.blur_prob for name, augment in photometric.items()}
    assert blur == {'view1': 1.0, 'local': 0.5, 'view2': 0.1}
    solarise = {name: augment.solarise.p for name, augment in photometric.items()}
    assert solarise == {'view1': 0.0, 'local': 0.0, 'view2': 0.2}
    assert MultiCropViews(view1={'blur_prob': 0.3}).photometric['view1'].blur_prob == 0.3


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'view2_scale': (0.9, 0.4)}, 'view2_scale: expected 0 < smallest'),
        ({'view2_scale': (0.9, 1.4)}, 'view2_scale: expected at most 1'),
        ({'view2_ratio': (0, 1)}, 'view2_ratio: expected'),
        ({'view2_flip_prob': 2}, 'view2_flip_prob: expected'),
        ({'views': ('view3',)}, 'views: expected some of'),
        ({'views': ()}, 'views: expected some of'),
        ({'view1': {'blur_prob': 7}}, 'blur_prob: expected'),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        MultiCropViews(**arguments)


def test_unknown_photometric_argument():
    with pytest.raises(TypeError, match='blurr'):
        MultiCropViews(local={'blurr': 1})


def test_missing_original_names_the_remedy():
    with pytest.raises(KeyError, match='RandomScaleCropWithBox before MultiCropViews'):
        MultiCropViews()({'img': np.zeros((8, 8, 3), np.uint8)})
