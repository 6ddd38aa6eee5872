from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import wsss_plugin.datasets  # noqa: F401
from wsss_plugin.datasets.shapes_config import ShapesConfig
from wsss_plugin.datasets.shapes_generator import ShapesGenerator


@pytest.fixture(autouse=True)
def _registry_scope():
    from mmseg.utils import register_all_modules

    register_all_modules(init_default_scope=True)


@pytest.fixture(scope='session')
def shapes_root(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp('shapes')
    ShapesGenerator(ShapesConfig(train=6, val=2, size=48)).write(root)
    return root


@pytest.fixture
def write_image():
    def write(path: Path, height: int = 12, width: int = 16) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        rows, cols = np.mgrid[:height, :width].astype(np.uint8)
        Image.fromarray(np.stack([rows, cols, rows + cols], axis=-1)).save(path)
        return path

    return write


@pytest.fixture
def training_pipeline() -> list[dict]:
    return [
        {'type': 'LoadImageOrRaise'},
        {'type': 'RandomScaleCropWithBox', 'crop_size': 32},
        {'type': 'MultiCropViews'},
        {'type': 'PackWSSSInputs'},
    ]
