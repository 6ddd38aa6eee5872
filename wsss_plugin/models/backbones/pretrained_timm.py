"""Pretrained weights of timm's vision transformers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import timm
from timm.models import load_state_dict
from timm.models.vision_transformer import checkpoint_filter_fn
from torch import Tensor

# Parts of timm's models behind the tokens, which a file of weights may lack.
_UNUSED = ('head', 'fc_norm', 'attn_pool')


def pretrained_weights(
    model_name: str,
    pretrained: bool | str,
    model_args: Mapping[str, Any],
    trunk: Callable[[], Any],
) -> dict[str, Tensor]:
    """Weights as timm loads them, adapted to the model's grid and channels.

    Args:
        model_name: Name of the timm model.
        pretrained: True for timm's download, or the path of a local file under timm's names.
        model_args: Further arguments of the model.
        trunk: Gives the model that the names in a file are those of.

    Returns:
        Weights by the names of the model.

    Raises:
        FileNotFoundError: If the file does not exist.
        ValueError: If the file lacks weights of the model.
    """
    overlay = None
    if isinstance(pretrained, str):
        file = str(Path(pretrained).expanduser())
        if not Path(file).is_file():
            raise FileNotFoundError(
                f'expected a file of weights for {model_name} at the config key '
                f'backbone.pretrained, received {pretrained!r}; give an existing file, '
                'True to download, or False to start from random weights'
            )
        _check_names(file, model_name, trunk)
        overlay = dict(file=file)
    model = timm.create_model(
        model_name, pretrained=True, pretrained_cfg_overlay=overlay, **model_args
    )
    return model.state_dict()


def _check_names(file: str, model_name: str, trunk: Callable[[], Any]) -> None:
    """Refuses a file without weights for each part, which timm would leave random."""
    if file.endswith('.npz'):  # read by names of another framework; timm checks those itself
        return
    model = trunk()
    given = checkpoint_filter_fn(load_state_dict(file), model)
    missing = [
        name for name in model.state_dict() if name not in given and not name.startswith(_UNUSED)
    ]
    if missing:
        raise ValueError(
            f"expected weights of {model_name} under timm's names in {file} (config key "
            f'backbone.pretrained), received none for {missing[0]} and {len(missing) - 1} '
            'others; give weights of this model, and for a checkpoint of MMEngine use '
            "init_cfg=dict(type='Pretrained', checkpoint=..., prefix='backbone.')"
        )
