from __future__ import annotations

import pytest
import torch

import wsss_plugin.models.data_preprocessors  # noqa: F401
from wsss_plugin.errors import DataError

_MEAN, _STD = [10.0, 20.0, 30.0], [2.0, 4.0, 5.0]


@pytest.fixture
def build():
    from mmseg.registry import MODELS

    def make(**kwargs):
        config = {'type': 'MultiViewDataPreProcessor', 'mean': _MEAN, 'std': _STD}
        return MODELS.build({**config, 'bgr_to_rgb': True, **kwargs})

    return make


@pytest.fixture
def samples():
    from mmseg.structures import SegDataSample

    pair = [SegDataSample(), SegDataSample()]
    for number, sample in enumerate(pair):
        sample.gt_tags = torch.tensor([0.0, float(number)])
    return pair


def _images(height=4, width=6):
    generator = torch.Generator().manual_seed(0)
    shape = (2, 3, height, width)
    return list(torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator))


def test_every_view_is_stacked_and_normalised(build, samples):
    views = {'view1': _images(), 'view2': _images(5, 5)}
    result = build()({'inputs': views, 'data_samples': samples}, training=True)
    assert set(result['inputs']) == {'view1', 'view2'}
    for name, images in views.items():
        rgb = torch.stack([image[[2, 1, 0]] for image in images]).float()
        expected = (rgb - torch.tensor(_MEAN).view(3, 1, 1)) / torch.tensor(_STD).view(3, 1, 1)
        assert torch.equal(result['inputs'][name], expected)
    assert [float(s.gt_tags[1]) for s in result['data_samples']] == [0.0, 1.0]


def test_view_equals_ordinary_input(build, samples):
    images = _images()
    preprocessor = build(size=(4, 6))
    views = preprocessor({'inputs': {'view1': images}, 'data_samples': samples}, training=True)
    plain = preprocessor({'inputs': images, 'data_samples': samples}, training=True)
    assert torch.equal(views['inputs']['view1'], plain['inputs'])


def test_without_normalisation_and_samples(build):
    preprocessor = build(mean=None, std=None, bgr_to_rgb=False)
    result = preprocessor({'inputs': {'view1': _images()}})
    assert torch.equal(result['inputs']['view1'], torch.stack(_images()).float())
    assert result['data_samples'] is None


def test_sizes_must_agree(build):
    with pytest.raises(ValueError, match=r"inputs\['view1'\]: expected images of one size"):
        build()({'inputs': {'view1': [_images()[0], _images(5, 5)[0]]}})


def test_batch_augmentation_is_refused(build):
    with pytest.raises(ValueError, match='batch_augments: expected None'):
        build(batch_augments=[{'type': 'Mixup'}])({'inputs': {'view1': _images()}})


@pytest.mark.parametrize('views', [False, True])
def test_images_of_several_sizes_are_named(build, samples, views):
    for name, sample in zip(('wide.png', 'square.png'), samples, strict=True):
        sample.set_metainfo({'img_path': f'images/{name}'})
    images = [_images()[0], _images(5, 5)[0]]
    message = r'4x6 of images/wide\.png and 5x5 of images/square\.png; set batch_size=1'
    with pytest.raises(DataError, match=message):
        build()({'inputs': {'view1': images} if views else images, 'data_samples': samples})


def test_training_images_of_several_sizes_are_padded(build, samples):
    images = [_images()[0], _images(5, 5)[0]]
    result = build(size=(6, 6))({'inputs': images, 'data_samples': samples}, training=True)
    alone = [build()({'inputs': [one], 'data_samples': samples[:1]})['inputs'] for one in images]
    assert torch.equal(result['inputs'][:1, :, :4, :6], alone[0])
    assert torch.equal(result['inputs'][1:, :, :5, :5], alone[1])
    assert result['inputs'].shape == (2, 3, 6, 6)
