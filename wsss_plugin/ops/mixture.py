"""A mixture of two Gaussians of one variable, fitted to each image of a batch at once."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from wsss_plugin.ops.precision import at_least_float32

# What stands for chance in the choice of the first centres: the first three numbers of NumPy's
# generator of seed 0, with which the published code starts scikit-learn's fit.
_DRAWS = (0.5488135039273248, 0.7151893663724195, 0.6027633760716439)
_MOST_MEANS_STEPS = 300
_MEANS_TOLERANCE = 1e-4  # of the variance
# Distances are summed as integers of this resolution: the order of a sum of floats is not the
# same at each run on a GPU.
_STEPS_OF_DISTANCE = 2**30


class Mixture(NamedTuple):
    """Two Gaussians for each of B images, the one with the smaller mean first.

    Attributes:
        mean: Means, (B, 2).
        variance: Variances, (B, 2).
        weight: Weights, (B, 2), which sum to 1.
    """

    mean: Tensor
    variance: Tensor
    weight: Tensor


def noise_mixture(
    losses: Tensor,
    valid: Tensor,
    max_iter: int = 10,
    tolerance: float = 1e-2,
    variance_floor: float = 5e-4,
) -> Mixture:
    """Fits two Gaussians to the valid losses of each image (DuPL, adaptive noise filtering).

    Expectation and maximisation for ``P(l) = w_c N(l; m_c, s_c^2) + w_n N(l; m_n, s_n^2)``, begun
    with the two clusters of k-means. An image is done when the mean of ``log P`` changes by less
    than the tolerance; the others go on. The defaults are those of DuPL's code, and the result is
    that of scikit-learn's ``GaussianMixture`` up to rounding, the choice of the first centres
    included.

    Args:
        losses: Losses of shape (B, ...), finite where they are valid.
        valid: Which of them count, bool of the same shape.
        max_iter: Most steps.
        tolerance: Change of the mean log-likelihood that ends the fit of an image.
        variance_floor: Added to every variance.

    Returns:
        Means, variances and weights, each (B, 2), float32 or wider, in the order of the means. A
        component without any pixel has the mean of all and the weight 0; where nothing is valid
        the means are 0.

    Raises:
        ValueError: If the shapes differ, or ``max_iter``, ``tolerance`` or ``variance_floor`` is
            not positive.

    >>> losses = torch.cat((torch.linspace(0.4, 0.6, 600), torch.linspace(2, 3, 400)))
    >>> mean, variance, weight = noise_mixture(losses[None], torch.ones(1, 1000, dtype=torch.bool))
    >>> mean.round(decimals=2), weight.round(decimals=2)
    (tensor([[0.5000, 2.5000]]), tensor([[0.6000, 0.4000]]))
    """
    _check(losses, valid, max_iter, tolerance, variance_floor)
    valid = valid.flatten(1).bool()
    losses = at_least_float32(losses).flatten(1).masked_fill(~valid, 0)
    second = _second_of_two_means(losses, valid)
    shares = torch.stack((valid & ~second, valid & second), dim=1).to(losses)
    mixture = _maximise(losses, shares, variance_floor)
    count = valid.sum(dim=1).clamp(min=1)
    likelihood = losses.new_full((len(losses),), -torch.inf)
    done = torch.zeros_like(likelihood, dtype=torch.bool)
    for _ in range(max_iter):
        joint = log_joint(losses, mixture)
        total = joint.logsumexp(dim=1)
        shares = (joint - total.unsqueeze(1)).exp() * valid.unsqueeze(1)
        better = _maximise(losses, shares, variance_floor)
        mixture = _where(done, mixture, better)
        previous, likelihood = likelihood, (total * valid).sum(dim=1) / count
        done = done | ((likelihood - previous).abs() < tolerance)
    order = mixture.mean.argsort(dim=1)
    return Mixture(*(part.gather(1, order) for part in mixture))


def log_joint(losses: Tensor, mixture: Mixture) -> Tensor:
    """Logarithm of each component's weighted density, ``log w_k + log N(l; m_k, s_k^2)``.

    Args:
        losses: Losses of shape (B, ...).
        mixture: Result of :func:`noise_mixture`.

    Returns:
        Logarithms of shape (B, 2, ...).

    >>> mixture = Mixture(*torch.tensor([[[0.0, 3.0]], [[1.0, 1.0]], [[0.5, 0.5]]]))
    >>> log_joint(torch.tensor([[1.5]]), mixture).diff(dim=1).item()
    0.0
    """
    shape = (*mixture.mean.shape, *[1] * (losses.dim() - 1))
    mean, variance, weight = (part.view(shape) for part in mixture)
    deviation = at_least_float32(losses).unsqueeze(1) - mean
    return weight.log() - 0.5 * (deviation.square() / variance + (2 * torch.pi * variance).log())


def _check(
    losses: Tensor, valid: Tensor, max_iter: int, tolerance: float, variance_floor: float
) -> None:
    if losses.dim() < 2 or losses.shape != valid.shape:
        raise ValueError(
            'expected losses (B, ...) and a mask of the same shape, received '
            f'{tuple(losses.shape)} and {tuple(valid.shape)}'
        )
    if max_iter < 1 or tolerance <= 0 or variance_floor <= 0:
        raise ValueError(
            'expected positive max_iter, tolerance and variance_floor of the mixture, received '
            f'{max_iter}, {tolerance} and {variance_floor}'
        )


def _maximise(losses: Tensor, shares: Tensor, variance_floor: float) -> Mixture:
    """The Gaussians of losses (B, N) that belong to the components by shares (B, 2, N)."""
    count = shares.sum(dim=2)
    total = count.sum(dim=1, keepdim=True)
    sums = (shares * losses.unsqueeze(1)).sum(dim=2)
    of_all = sums.sum(dim=1, keepdim=True) / total.clamp(min=1)
    empty = count <= 0
    divisor = count.masked_fill(empty, 1)
    mean = torch.where(empty, of_all, sums / divisor)
    deviation = losses.unsqueeze(1) - mean.unsqueeze(2)
    variance = (shares * deviation.square()).sum(dim=2) / divisor + variance_floor
    # Where nothing is valid, halves keep the logarithms finite.
    weight = torch.where(total > 0, count / total.clamp(min=1), 0.5)
    return Mixture(mean, variance, weight)


def _where(condition: Tensor, first: Mixture, second: Mixture) -> Mixture:
    pairs = zip(first, second, strict=True)
    return Mixture(*(torch.where(condition.unsqueeze(1), one, other) for one, other in pairs))


def _second_of_two_means(losses: Tensor, valid: Tensor) -> Tensor:
    """Which of the losses (B, N) belong to the second cluster of two-means."""
    count = valid.sum(dim=1, keepdim=True).clamp(min=1)
    mean = losses.sum(dim=1, keepdim=True) / count
    variance = ((losses - mean).square() * valid).sum(dim=1, keepdim=True) / count
    centres = _first_centres(losses, valid)
    done = torch.zeros_like(count, dtype=torch.bool)
    for _ in range(_MOST_MEANS_STEPS):
        second = _nearer_to_second(losses, centres)
        parts = (valid & ~second, valid & second)
        means = [
            _mean_over(losses, part, centres[:, index : index + 1])
            for index, part in enumerate(parts)
        ]
        moved = torch.cat(means, dim=1)
        shift = (moved - centres).square().sum(dim=1, keepdim=True)
        centres = torch.where(done, centres, moved)
        done = done | (shift <= _MEANS_TOLERANCE * variance)
        if done.all():
            break
    return _nearer_to_second(losses, centres)


def _mean_over(losses: Tensor, part: Tensor, otherwise: Tensor) -> Tensor:
    count = part.sum(dim=1, keepdim=True)
    mean = (losses * part).sum(dim=1, keepdim=True) / count.clamp(min=1)
    return torch.where(count > 0, mean, otherwise)


def _nearer_to_second(losses: Tensor, centres: Tensor) -> Tensor:
    first, second = centres.unsqueeze(1).unbind(dim=2)
    return (losses - second).abs() < (losses - first).abs()


def _first_centres(losses: Tensor, valid: Tensor) -> Tensor:
    """The first centres (B, 2) of k-means++ with two candidates for the second."""
    rank = valid.cumsum(dim=1)
    nth = (rank[:, -1:] * _DRAWS[0]).floor().long() + 1
    first = losses.gather(1, _first_at_least(rank, nth))
    distance = (losses - first).square() * valid
    largest = distance.amax(dim=1, keepdim=True).clamp(min=torch.finfo(losses.dtype).tiny)
    summed = (distance / largest * _STEPS_OF_DISTANCE).long().cumsum(dim=1)
    candidates, remaining = [], []
    for draw in _DRAWS[1:]:
        wanted = (summed[:, -1:].double() * draw).ceil().long()
        candidate = losses.gather(1, _first_at_least(summed, wanted))
        nearest = torch.minimum(distance, (losses - candidate).square() * valid)
        candidates.append(candidate)
        remaining.append(nearest.sum(dim=1, keepdim=True))
    better = remaining[1] < remaining[0]
    return torch.cat((first, torch.where(better, candidates[1], candidates[0])), dim=1)


def _first_at_least(ascending: Tensor, value: Tensor) -> Tensor:
    return torch.searchsorted(ascending, value).clamp(max=ascending.shape[1] - 1)
