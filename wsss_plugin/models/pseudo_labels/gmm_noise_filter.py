"""Takes noise out of pseudo labels by a mixture of two Gaussians."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.losses.process_mean import process_mean
from wsss_plugin.models.needs import Needs
from wsss_plugin.models.schedule import as_iteration, check_iteration
from wsss_plugin.models.without_gradient import without_gradient
from wsss_plugin.ops.noise import FEWEST, Noise, check_noise_settings, find_noise
from wsss_plugin.ops.precision import at_least_float32

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


@MODELS.register_module()
class GMMNoiseFilter(BaseModule):
    """Ignores labelled pixels whose loss belongs to the upper of two Gaussians (DuPL).

    The loss is the cross entropy of the segmentor's own decode head with the label that is
    filtered. :func:`wsss_plugin.ops.find_noise` has the rules. Outside a training labels stay as
    they are. It logs ``noise_share``, the share of the foreground that is taken out, and the
    shares of images left alone, ``noise_too_few`` and ``noise_too_close``.

    Args:
        start: First iteration, or the share of the training after which it begins; DuPL begins
            at 0.4.
        fit_above: The mixture is fitted to losses above it, as in the published code; None takes
            the whole foreground, as the paper says.
        fewest: An image needs more pixels than this share of the crop for a mixture; the published
            1000 in 448 x 448 as a share.
        gap: The distance eta of the means that tells noise from the rest.
        certainty: The posterior gamma that a pixel must exceed.
        as_released: Applies the posterior below the smaller mean too, as the published code does.
        ignore_index: Label of ignored pixels.
        init_cfg: MMEngine's initialisation config.

    Raises:
        ValueError: If ``start`` is no iteration, ``certainty`` is not between 0 and 1, or
            ``fewest`` or ``gap`` is negative.
    """

    def __init__(
        self,
        start: float = 0.4,
        fit_above: float | None = 0.1,
        fewest: float = FEWEST,
        gap: float = 1.0,
        certainty: float = 0.95,
        as_released: bool = False,
        ignore_index: int = 255,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        check_iteration(start, 'start of GMMNoiseFilter')
        check_noise_settings(fewest, gap, certainty)
        self.start = start
        self.fit_above = fit_above
        self.fewest = fewest
        self.gap = gap
        self.certainty = certainty
        self.as_released = as_released
        self.ignore_index = ignore_index

    def needs(self, iteration: int | None, max_iters: int | None) -> Needs:
        """What it reads.

        Args:
            iteration: 0-based iteration, None outside a training.
            max_iters: Length of the training, where it is known.

        Returns:
            Names: the decode head's logits once it has begun.
        """
        return Needs(decoder=self.has_begun(iteration, max_iters))

    def has_begun(self, iteration: int | None, max_iters: int | None) -> bool:
        """Whether it filters.

        Args:
            iteration: 0-based iteration, None outside a training.
            max_iters: Length of the training, where it is known.

        Returns:
            False outside a training.
        """
        if iteration is None:
            return False
        return iteration >= as_iteration(self.start, max_iters, 'start of GMMNoiseFilter')

    def forward(self, batch: Batch, label: Tensor) -> Tensor:
        """The label without noise.

        Args:
            batch: The batch.
            label: Label map (B, H, W).

        Returns:
            Label map (B, H, W).
        """
        if not self.has_begun(batch.iteration, batch.max_iters):
            return label
        with without_gradient():
            noise = self._noise(batch.main.decode_logits.detach(), label)
        self._log(batch, noise, (label != 0) & (label != self.ignore_index))
        return label.masked_fill(noise.pixels, self.ignore_index)

    def _noise(self, logits: Tensor, label: Tensor) -> Noise:
        logits = at_least_float32(logits)
        if logits.shape[-2:] != label.shape[-2:]:
            logits = F.interpolate(logits, label.shape[-2:], mode='bilinear', align_corners=False)
        losses = F.cross_entropy(
            logits, label.long(), ignore_index=self.ignore_index, reduction='none'
        )
        return find_noise(
            label,
            losses,
            fit_above=self.fit_above,
            fewest=self.fewest,
            gap=self.gap,
            certainty=self.certainty,
            as_released=self.as_released,
            ignore_index=self.ignore_index,
        )

    @staticmethod
    def _log(batch: Batch, noise: Noise, foreground: Tensor) -> None:
        # The logged values are averaged over processes.
        count = process_mean(foreground.sum().float())
        batch.logged.update(
            noise_share=noise.pixels.sum() / count.where(count > 0, 1),
            noise_too_few=noise.too_few.float().mean(),
            noise_too_close=noise.too_close.float().mean(),
        )
