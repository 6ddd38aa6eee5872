from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from wsss_plugin.datasets import ImageTagDataset
from wsss_plugin.errors import ConfigError, DataError

_PIPELINE = [
    {'type': 'LoadImageOrRaise'},
    {'type': 'Resize', 'scale': (6, 4), 'keep_ratio': False},
    {'type': 'LoadAnnotations'},
    {'type': 'PackWSSSInputs'},
]


@pytest.fixture
def build(tmp_path, write_image):
    def run(height, width, mask_size=None, pipeline=_PIPELINE, **options):
        write_image(tmp_path / 'images/a.png', height, width)
        (tmp_path / 'masks').mkdir(exist_ok=True)
        mask = np.ones(mask_size or (height, width), np.uint8)
        Image.fromarray(mask).save(tmp_path / 'masks/a.png')
        (tmp_path / 'tags.json').write_text('{"a": ["cat"]}')
        return ImageTagDataset(
            'tags.json', data_root=str(tmp_path), pipeline=pipeline, test_mode=True, **options
        )

    return run


@pytest.mark.parametrize('size', [(1, 1), (1, 9), (9, 1), (2, 3)])
def test_sides_of_one_pixel_are_kept(build, size):
    mask = build(*size)[0]['data_samples'].gt_sem_seg.data
    assert torch.equal(mask, torch.ones(1, *size, dtype=mask.dtype))


def test_alternatives_of_one_pixel(build):
    flips = [{'type': 'RandomFlip', 'prob': p, 'direction': 'horizontal'} for p in (0.0, 1.0)]
    tta = {'type': 'TestTimeAug', 'transforms': [flips, [_PIPELINE[2]], [_PIPELINE[3]]]}
    samples = build(1, 5, pipeline=[_PIPELINE[0], tta])[0]['data_samples']
    assert [sample.gt_sem_seg.data.tolist() for sample in samples] == [[[[1] * 5]]] * 2


@pytest.mark.parametrize(('size', 'other'), [((4, 5), (1, 7)), ((1, 3), (3, 1))])
def test_a_mask_of_another_size(build, size, other):
    message = 'image {}x{}, received one of {}x{}; replace it'.format(*size, *other)
    with pytest.raises(DataError, match=rf'masks/a\.png: .*{message}'):
        build(*size, other)[0]


def test_the_background_is_not_taken_for_ignored(build):
    message = r'reduce_zero_label of .*: expected False, received True.*mask_classes'
    with pytest.raises(ConfigError, match=message):
        build(2, 3, reduce_zero_label=True)
    shift = [_PIPELINE[0], {'type': 'LoadAnnotations', 'reduce_zero_label': True}, _PIPELINE[3]]
    with pytest.raises(ConfigError, match=message):
        build(2, 3, pipeline=shift)
