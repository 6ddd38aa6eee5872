from __future__ import annotations

import pytest

from wsss_plugin.datasets.class_checks import MOST_CLASSES, require_classes, require_eight_bits
from wsss_plugin.errors import ConfigError

NAMES = tuple(f'c{index}' for index in range(MOST_CLASSES + 1))


def test_what_label_maps_hold():
    require_eight_bits('x', NAMES[:254])
    with pytest.raises(ConfigError, match=r'x: expected at most 254 classes .*, received 255;'):
        require_eight_bits('x', NAMES)
    # Tags need no label map.
    require_classes(('background', *NAMES), None, masks=False)
    with pytest.raises(ConfigError, match='received 255'):
        require_classes(('background', *NAMES), None, masks=True)
    with pytest.raises(ConfigError, match=r'mask_classes: .*received 255'):
        require_classes(('background', 'c1'), NAMES, masks=False)


@pytest.mark.parametrize(
    ('classes', 'mask_classes', 'message'),
    [
        (None, None, "expected 'background' and then at least one class, received None"),
        (('background',), None, 'at least one class'),
        (('a', 'background'), None, "expected 'background' and then"),
        (('background', 'a', 'b', 'a'), None, 'received a more than once'),
        (('background', 'a'), ('b',), r"mask_classes: .* received \('b',\) for the classes"),
        (('background', 'a'), ('background', 'a'), 'mask_classes: .* without'),
    ],
)
def test_classes_that_mean_nothing_clear(classes, mask_classes, message):
    with pytest.raises(ConfigError, match=message):
        require_classes(classes, mask_classes, masks=True)
