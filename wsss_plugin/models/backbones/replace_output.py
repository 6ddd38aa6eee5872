"""A forward hook that changes what a module returns."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn


class ReplaceOutput:
    """A forward hook that passes a module's output through another module.

    A class rather than a closure, so that a deep copy of the backbone (an EMA of the model, say)
    refers to the copied module.

    Args:
        module: Takes the output and returns what replaces it.

    Examples:
        >>> import torch
        >>> layer = nn.Identity()
        >>> handle = layer.register_forward_hook(ReplaceOutput(nn.ReLU()))
        >>> layer(torch.tensor([-1.0, 1.0]))
        tensor([0., 1.])
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module

    def __call__(self, _module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        """Replaces an output.

        Args:
            _module: The module that the hook is registered at.
            _inputs: Its inputs.
            output: Its output.

        Returns:
            What replaces the output.
        """
        return self.module(output)
