"""Pseudo labels that a segmentor finds much harder than the rest of the image are noise."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from wsss_plugin.ops.mixture import log_joint, noise_mixture

# DuPL's code asks for 1000 pixels in a crop of 448 x 448.
FEWEST = 1000 / 448**2


class Noise(NamedTuple):
    """Which pixels of B label maps are noise, and why images have none.

    Attributes:
        pixels: Noise, bool, (B, H, W).
        too_few: Images with too few foreground pixels for a mixture, bool, (B,).
        too_close: Images of the others whose two means are too close, bool, (B,).
    """

    pixels: Tensor
    too_few: Tensor
    too_close: Tensor


def find_noise(
    label: Tensor,
    losses: Tensor,
    fit_above: float | None = 0.1,
    fewest: float = FEWEST,
    gap: float = 1.0,
    certainty: float = 0.95,
    as_released: bool = False,
    ignore_index: int = 255,
) -> Noise:
    """Finds the foreground pixels whose loss belongs to the upper of two Gaussians (DuPL).

    A mixture of two Gaussians is fitted to the losses of each image's foreground. Where its means
    are more than ``gap`` apart, a pixel is noise if the posterior of the component with the larger
    mean exceeds ``certainty``. Images with too little foreground keep their labels.

    A narrow clean component has less density than the wide other one far below both means, so
    that the posterior calls the best fitted pixels noise. Here pixels below the smaller mean never
    are; the published code applies the posterior to all.

    Args:
        label: Label map of shape (B, H, W): 0 background, ``ignore_index`` ignored.
        losses: Loss of each pixel with its label, (B, H, W).
        fit_above: The mixture is fitted to losses above it, as in the published code; None takes
            the whole foreground, as the paper says.
        fewest: An image needs more pixels than this share of the crop for a mixture.
        gap: The distance eta of the means, in units of the loss, that tells noise from the rest.
        certainty: The posterior gamma that a pixel must exceed, in (0, 1).
        as_released: Applies the posterior below the smaller mean too.
        ignore_index: Label of ignored pixels.

    Returns:
        The pixels, and which images were left alone by which rule.

    Raises:
        ValueError: If the shapes differ, ``certainty`` is not between 0 and 1, or ``fewest`` or
            ``gap`` is negative.
    """
    if label.dim() != 3 or label.shape != losses.shape:
        raise ValueError(
            'expected labels and losses of the same shape (B, H, W), received '
            f'{tuple(label.shape)} and {tuple(losses.shape)}'
        )
    check_noise_settings(fewest, gap, certainty)
    foreground = (label != 0) & (label != ignore_index)
    fitted = foreground if fit_above is None else foreground & (losses > fit_above)
    mixture = noise_mixture(losses, fitted)
    # The share of a crop need not be exact in floating point: no more than that is allowed.
    least = fewest * label[0].numel() * (1 + 1e-9)
    too_few = fitted.sum(dim=(1, 2)) <= least
    lower, upper = mixture.mean.unbind(dim=1)
    too_close = ~too_few & (upper - lower <= gap)
    posterior = log_joint(losses, mixture).softmax(dim=1)[:, 1]
    pixels = foreground & (posterior > certainty) & ~(too_few | too_close).view(-1, 1, 1)
    if not as_released:
        pixels = pixels & (losses >= lower.view(-1, 1, 1))
    return Noise(pixels, too_few, too_close)


def filter_noise(
    label: Tensor,
    losses: Tensor,
    fit_above: float | None = 0.1,
    fewest: float = FEWEST,
    gap: float = 1.0,
    certainty: float = 0.95,
    as_released: bool = False,
    ignore_index: int = 255,
) -> Tensor:
    """Label map in which noise is ignored; see :func:`find_noise` for the rules.

    Args:
        label: Label map of shape (B, H, W): 0 background, ``ignore_index`` ignored.
        losses: Loss of each pixel with its label, (B, H, W).
        fit_above: The mixture is fitted to losses above it, or to the whole foreground if None.
        fewest: An image needs more pixels than this share of the crop for a mixture.
        gap: The distance eta of the means that tells noise from the rest.
        certainty: The posterior gamma that a pixel must exceed, in (0, 1).
        as_released: Applies the posterior below the smaller mean too.
        ignore_index: Label of ignored pixels.

    Returns:
        Label map of the same shape and type.

    Raises:
        ValueError: As :func:`find_noise` does.

    >>> import torch
    >>> label = torch.ones(1, 10, 100, dtype=torch.long)
    >>> losses = torch.cat((torch.rand(1, 8, 100), torch.rand(1, 2, 100) + 5), dim=1)
    >>> (filter_noise(label, losses) == 255).sum(dim=2).tolist()
    [[0, 0, 0, 0, 0, 0, 0, 0, 100, 100]]
    """
    noise = find_noise(label, losses, fit_above, fewest, gap, certainty, as_released, ignore_index)
    return label.masked_fill(noise.pixels, ignore_index)


def check_noise_settings(fewest: float, gap: float, certainty: float) -> None:
    """Checks what does not depend on the data.

    Args:
        fewest: Share of the crop.
        gap: Distance of the means.
        certainty: Posterior.

    Raises:
        ValueError: If ``certainty`` is not between 0 and 1, or another is negative.
    """
    if not 0 < certainty < 1 or fewest < 0 or gap < 0:
        raise ValueError(
            'expected certainty between 0 and 1, and fewest and gap not below 0, received '
            f'certainty={certainty}, fewest={fewest} and gap={gap}; DuPL has 0.95, 1000/448**2 '
            'and 1.0'
        )
