"""Reference networks rebuilt from saved weights, and the position in a training."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from mmengine.logging import MessageHub

from wsss_plugin.models.backbones import TimmVisionTransformer


@pytest.fixture(autouse=True)
def iteration() -> Iterator[Callable[..., None]]:
    """Sets iteration and length of the training; at first and at last there is none."""
    hub = MessageHub.get_current_instance()

    def set_iteration(value: int | None, max_iters: int | None = None) -> None:
        hub.update_info('iter', value)
        hub.update_info('max_iters', max_iters)

    set_iteration(None)
    yield set_iteration
    set_iteration(None)


@pytest.fixture
def tiny_transformer() -> Callable[..., TimmVisionTransformer]:
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
