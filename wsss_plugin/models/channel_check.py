"""Whether a data preprocessor and a backbone are for images of the same channels."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from wsss_plugin.errors import ConfigError
from wsss_plugin.models.backbones.dual_branch_backbone import DualBranchBackbone
from wsss_plugin.models.backbones.first_convolution import adapt_when_loaded, image_channels


def check_channels(backbone: nn.Module, preprocessor: Any) -> None:
    """Checks mean and standard deviation, and lets the first layer adapt to pretrained weights.

    Args:
        backbone: The backbone.
        preprocessor: The data preprocessor.

    Raises:
        ConfigError: If there is neither one mean for all channels nor one for each.
    """
    channels = image_channels(backbone)
    mean = getattr(preprocessor, 'mean', None)
    if channels is not None and isinstance(mean, Tensor) and len(mean) not in (1, channels):
        raise ConfigError(
            f'expected {channels} values as mean and std of the data preprocessor, one for each '
            f'channel that the backbone takes, received {len(mean)}; give as many, or set '
            'in_channels of the backbone'
        )
    # The dual branch and timm see to their own.
    if not isinstance(backbone, DualBranchBackbone):
        adapt_when_loaded(backbone)
