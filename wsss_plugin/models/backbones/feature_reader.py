"""Features by name, from any backbone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from wsss_plugin.models.backbones.feature_backbone import FeatureBackbone, Reduction

_OUTPUT = 'out.'


def read_features(
    backbone: nn.Module,
    image: Tensor,
    names: Sequence[str],
    reduce: Mapping[str, Reduction] | None = None,
    context: Mapping[str, Any] | None = None,
) -> dict[str, Tensor]:
    """Features of a batch of images by name.

    A backbone of this package names its features itself. Any other one, from whichever library,
    gives the output of its submodules by their names, and ``out.<i>`` for the i-th map that it
    returns; it keeps its parameter names.

    Args:
        backbone: The backbone.
        image: Normalised images (B, 3, H, W).
        names: Which features.
        reduce: As for :class:`FeatureBackbone`.
        context: As for :class:`FeatureBackbone`.

    Returns:
        Features by name; an empty dict where none is asked for.

    >>> import torch
    >>> net = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU())
    >>> features = read_features(net, torch.ones(1, 3, 4, 4), ['0', 'out.0'])
    >>> {name: tuple(value.shape) for name, value in features.items()}
    {'0': (1, 2, 4, 4), 'out.0': (1, 2, 4, 4)}
    """
    if not names:
        return {}
    if isinstance(backbone, FeatureBackbone):
        return backbone.forward_features(image, names, reduce, context)
    return _read_outputs(backbone, image, names)


def check_feature(backbone: nn.Module, name: str) -> None:
    """Checks that a backbone has a feature.

    Args:
        backbone: The backbone.
        name: Name of the feature.

    Raises:
        ValueError: If it has none of this name.
    """
    if isinstance(backbone, FeatureBackbone):
        backbone.check_feature(name)
        return
    if name.startswith(_OUTPUT) and name.removeprefix(_OUTPUT).lstrip('-').isdigit():
        return
    if name not in dict(backbone.named_modules()) or not name:
        known = [child for child, _ in backbone.named_children()]
        raise ValueError(
            f'expected the name of a submodule of {type(backbone).__name__}, such as {known}, or '
            f"'out.<i>' for its i-th output, received {name!r}"
        )


def smallest_side(backbone: Any) -> int:
    """The smallest side of an image, in pixels, of which a backbone sees anything.

    Args:
        backbone: The backbone.

    Returns:
        The side of a patch of a transformer, 1 for other networks.

    >>> smallest_side(nn.Conv2d(3, 3, 1))
    1
    """
    size = getattr(getattr(backbone, 'vit', backbone), 'patch_size', 1)
    return max(size) if isinstance(size, tuple) else int(size)


def _read_outputs(backbone: nn.Module, image: Tensor, names: Sequence[str]) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        return lambda _module, _inputs, output: found.update({name: output})

    inner = [name for name in names if not name.startswith(_OUTPUT)]
    handles = [backbone.get_submodule(name).register_forward_hook(keep(name)) for name in inner]
    try:
        outputs = backbone(image)
    finally:
        for handle in handles:
            handle.remove()
    maps = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
    for name in names:
        if name.startswith(_OUTPUT):
            found[name] = _output(maps, name)
    return {name: found[name] for name in names}


def _output(maps: tuple[Tensor, ...], name: str) -> Tensor:
    index = int(name.removeprefix(_OUTPUT))
    if not -len(maps) <= index < len(maps):
        raise ValueError(
            f'expected out.<i> with i from {-len(maps)} to {len(maps) - 1}, received {name!r}: the '
            f'backbone returns {len(maps)} maps'
        )
    return maps[index]
