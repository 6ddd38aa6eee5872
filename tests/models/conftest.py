"""Reference networks rebuilt from saved weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from wsss_plugin.models.backbones import TimmVisionTransformer

DATA = Path(__file__).parents[1] / 'data'


@pytest.fixture
def reference():
    """Loads the arrays of a reference file as tensors by name."""

    def load(name: str) -> dict[str, torch.Tensor]:
        with np.load(DATA / f'{name}.npz') as arrays:
            return {
                key: torch.from_numpy(arrays[key])
                for key in arrays.files
                if arrays[key].dtype.kind in 'fiub'
            }

    return load


@pytest.fixture
def tiny_transformer():
    """Builds the 24-wide transformer of the reference, with its weights if they are given."""

    def build(weights: dict[str, torch.Tensor] | None = None) -> TimmVisionTransformer:
        vit = TimmVisionTransformer(
            'vit_tiny_patch16_224',
            inner_blocks=(-3,),
            model_args=dict(img_size=64, embed_dim=24, depth=12, num_heads=3),
        )
        if weights is not None:
            prefix = 'w.encoder.'
            state = {
                key.removeprefix(prefix): value
                for key, value in weights.items()
                if key.startswith(prefix) and not key.startswith(prefix + 'head')
            }
            vit.trunk.load_state_dict(state)
        return vit

    return build
