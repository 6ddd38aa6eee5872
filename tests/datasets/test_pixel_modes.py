import pytest
from PIL import Image

from wsss_plugin.datasets.pixel_modes import is_deep


@pytest.mark.parametrize('mode', ['1', 'L', 'LA', 'P', 'RGB', 'RGBA', 'CMYK', 'YCbCr', 'HSV'])
def test_eight_bits_or_fewer(mode):
    assert Image.new(mode, (1, 1)).mode == mode
    assert not is_deep(mode)


@pytest.mark.parametrize('mode', ['I', 'I;16', 'I;16B', 'I;16L', 'F'])
def test_more_bits(mode):
    assert Image.new(mode, (1, 1)).mode == mode
    assert is_deep(mode)
