from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms import v2

from wsss_plugin.datasets.transforms import (
    MultiCropViews,
    PhotometricAugmentation,
    RandomScaleCropWithBox,
)
from wsss_plugin.ops import box_to_view, to_view

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
    for augment in photometric.values():
        jitter, grey = augment.colour.transforms
        (colours,) = jitter.transforms
        ranges = (colours.brightness, colours.contrast, colours.saturation, colours.hue)
        assert ranges == ((0.6, 1.4), (0.6, 1.4), (0.8, 1.2), (-0.1, 0.1))
        assert (jitter.p, grey.p, augment.solarise.threshold) == (0.8, 0.2, 128)
        assert augment.blur_radius == (0.1, 2.0)
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


_STRONG = {
    'of': 'view1',
    'scale': 0.75,
    'flip': True,
    'photometric': {'type': 'RandomPhotometricOperations'},
}
_ZOOM = {
    'of': 'image',
    'scale': 0.5,
    'flip': 0.5,
    'area': (0.2, 0.5),
    'interpolation': 'bicubic',
    'photometric': {'type': 'PhotometricAugmentation', 'blur_prob': 0},
}


def _noise(height: int = 40, width: int = 60) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def _sample(transform: MultiCropViews, seed: int = 3, image: np.ndarray | None = None) -> dict:
    torch.manual_seed(seed)
    image = _noise() if image is None else image
    return transform(RandomScaleCropWithBox(32)({'img': image, 'sample_seed': seed}))


@pytest.mark.parametrize('seed', range(4))
def test_the_three_views_take_the_draws_of_torchvisions_own_transforms(seed):
    received = _sample(MultiCropViews(), seed)
    torch.manual_seed(seed)
    crop = RandomScaleCropWithBox(32)({'img': _noise()})['img']

    def coloured(picture: Image.Image, **kwargs) -> np.ndarray:
        return np.asarray(PhotometricAugmentation(**kwargs)(picture))[..., ::-1]

    picture = Image.fromarray(np.ascontiguousarray(crop[..., ::-1]))
    untouched = Image.fromarray(np.ascontiguousarray(_noise()[..., ::-1]))
    part = v2.RandomResizedCrop(32, (0.4, 1.0), interpolation=v2.InterpolationMode.BICUBIC)
    expected = {
        'view1': coloured(picture, blur_prob=1.0),
        'local': coloured(picture, blur_prob=0.5),
        'view2': coloured(
            v2.RandomHorizontalFlip()(part(untouched)), blur_prob=0.1, solarise_prob=0.2
        ),
    }
    for name, view in expected.items():
        assert np.array_equal(received['views'][name], view)


def test_a_further_view_changes_nothing_else():
    plain = _sample(MultiCropViews())
    after = torch.rand(3)
    for views in ({'strong': _STRONG}, {'zoom': _ZOOM, 'a': {}, 'strong': _STRONG}):
        more = _sample(MultiCropViews(views=views))
        assert torch.equal(torch.rand(3), after)
        assert list(more['views'])[:3] == ['view1', 'local', 'view2']
        assert set(more['views']) == {*plain['views'], *views}
        for name, view in plain['views'].items():
            assert np.array_equal(more['views'][name], view)


def test_a_further_view_follows_from_seed_and_name():
    def views(transform: MultiCropViews, **kwargs) -> dict:
        return _sample(transform, **kwargs)['views']

    both = views(MultiCropViews(views={'zoom': _ZOOM, 'other': _ZOOM}))
    assert not np.array_equal(both['zoom'], both['other'])
    alone = views(MultiCropViews(views={'zoom': _ZOOM, 'view1': None, 'local': None}))
    assert np.array_equal(alone['zoom'], both['zoom'])
    assert not np.array_equal(views(MultiCropViews(views={'zoom': _ZOOM}), seed=4), both)
    transform = MultiCropViews(views={'zoom': _ZOOM})
    unseeded = []
    for _ in range(2):
        torch.manual_seed(0)
        unseeded.append(transform({'img': _noise(), 'ori_img': _noise()})['views']['zoom'])
    assert np.array_equal(*unseeded)
    torch.manual_seed(1)
    again = transform({'img': _noise(), 'ori_img': _noise()})['views']['zoom']
    assert not np.array_equal(again, unseeded[0])


def test_a_view_of_a_view_has_its_colours():
    views = _sample(MultiCropViews(views={'b': {'of': 'c', 'flip': True}, 'c': {'of': 'view1'}}))
    assert np.array_equal(views['views']['c'], views['views']['view1'])
    assert np.array_equal(views['views']['b'], views['views']['view1'][:, ::-1])
    assert views['view_geometry']['b'].flip


def test_none_leaves_a_view_out():
    sample = _sample(MultiCropViews(views={'local': None, 'view2': None, 'strong': _STRONG}))
    assert list(sample['views']) == ['view1', 'strong']
    assert sample['views']['strong'].shape == (24, 24, 3)
    assert list(sample['view_geometry']) == ['view1', 'strong']
    assert MultiCropViews(views={'absent': None}).views == ('view1', 'local', 'view2')


def test_geometry_of_the_crop_itself():
    sample = _sample(MultiCropViews())
    for name in ('view1', 'local'):
        geometry = sample['view_geometry'][name]
        assert geometry.box == (0, 32, 0, 32)
        assert geometry.frame == geometry.size == (32, 32)
        assert not geometry.flip
        assert geometry.valid == sample['box']


@pytest.mark.parametrize('seed', range(12))
def test_geometry_says_where_the_pixels_are(seed):
    """Every view is what its geometry shows of the crop, where both have the image."""
    ramp = np.zeros((40, 60, 3), np.uint8)
    ramp[..., 0] = np.linspace(20, 230, 40)[:, None]
    ramp[..., 1] = np.linspace(20, 230, 60)
    ramp[..., 2] = 200
    of_crop = {**_STRONG, 'of': 'crop', 'photometric': None}
    part = {**_ZOOM, 'of': 'strong', 'photometric': None}
    views = {'strong': of_crop, 'part': part, 'zoom': {**_ZOOM, 'photometric': None}}
    sample = _sample(_still(views=views), seed, ramp)
    crop = torch.from_numpy(sample['img'].copy()).permute(2, 0, 1)[None].double()
    compared = 0
    for name, geometry in sample['view_geometry'].items():
        assert geometry.size == sample['views'][name].shape[:2]
        row0, row1, col0, col1 = box_to_view(torch.tensor([sample['box']]), geometry)[0].tolist()
        # Resizing blends the outermost pixels with what lies beyond.
        inner = np.s_[row0 + 2 : row1 - 2, col0 + 2 : col1 - 2]
        expected = to_view(crop, geometry)[0].permute(1, 2, 0).numpy()[inner]
        difference = np.abs(sample['views'][name][inner] - expected)
        compared += difference.size
        assert (difference <= 8).all()
        first, last, left, right = geometry.valid
        blue = sample['views'][name][first + 2 : last - 2, left + 2 : right - 2, 2]
        assert (np.abs(blue.astype(int) - 200) <= 1).all()
    assert compared > 1000


def test_view2_has_no_padding_and_no_geometry_without_the_crops():
    assert _sample(MultiCropViews())['view_geometry']['view2'].valid == (0, 32, 0, 32)
    results = MultiCropViews()({'img': _noise(32, 32), 'ori_img': _noise()})
    assert list(results['view_geometry']) == ['view1', 'local']


@pytest.mark.parametrize(
    ('views', 'message'),
    [
        ({'view1': {}}, r"views\.view1: expected None.*argument 'view1'"),
        ({'crop': {}}, r'views\.crop: the name stands for a source'),
        ({'a': {'of': 'b'}}, r"views\.a\.of: expected 'crop'.*received 'b'"),
        ({'a': {'of': 'b'}, 'b': {'of': 'a'}}, r'views\.a\.of: expected'),
        ({'a': {'of': 'view2'}, 'view2': None}, r"views\.a\.of: .*'local'.* received 'view2'"),
        ({'a': {'scale': 0}}, r'views\.a\.scale: expected a positive number'),
        ({'a': True}, r'views\.a: expected a dict'),
        (dict.fromkeys(('view1', 'local', 'view2')), 'views: expected at least one view'),
    ],
)
def test_errors_of_further_views(views, message):
    with pytest.raises(ValueError, match=message):
        MultiCropViews(views=views)


def test_unknown_argument_of_a_further_view():
    with pytest.raises(TypeError, match=r"views\.strong: .*'scal'"):
        MultiCropViews(views={'strong': {'scal': 1}})
