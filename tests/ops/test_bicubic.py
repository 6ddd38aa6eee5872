import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from wsss_plugin.ops.bicubic import bicubic_matrix


@pytest.mark.parametrize(('old', 'new'), [((5, 7), (9, 6)), ((14, 14), (14, 15)), ((3, 1), (1, 4))])
@pytest.mark.parametrize('more', [0.0, 0.1])
def test_resizes_as_pytorch_does(old, new, more):
    maps = torch.randn(2, 3, *old, dtype=torch.float64)
    factors = [(to + more) / side for to, side in zip(new, old, strict=True)]
    expected = F.interpolate(maps, scale_factor=factors, mode='bicubic', align_corners=False)
    rows, columns = (bicubic_matrix(*sides, maps) for sides in zip(old, new, factors, strict=True))
    assert_close(rows @ maps @ columns.T, expected)
