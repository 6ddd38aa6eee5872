from __future__ import annotations

import numpy as np
import pytest

from wsss_plugin.visualization.contact_sheet import contact_sheet


def test_panels_are_below_each_other_on_white():
    panels = [np.full((2, 3, 3), 10, np.uint8), np.full((1, 5, 3), 20, np.uint8)]
    sheet = contact_sheet(panels, gap=1)
    assert sheet[..., 0].tolist() == [
        [10, 10, 10, 255, 255],
        [10, 10, 10, 255, 255],
        [255] * 5,
        [20] * 5,
    ]


def test_no_panel_is_an_error():
    with pytest.raises(ValueError, match='received none'):
        contact_sheet([])
