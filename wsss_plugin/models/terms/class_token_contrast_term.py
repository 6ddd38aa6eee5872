"""Contrast of class tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.needs import Needs
from wsss_plugin.models.terms.loss_term import LossTerm
from wsss_plugin.models.terms.stepwise_moving_average import StepwiseMovingAverage
from wsss_plugin.models.without_gradient import without_gradient
from wsss_plugin.ops.crops import choose_crops, crop_is_positive, extract_crops

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch

_LOCAL_CROPS = dict(num=8, size=96, positive_threshold=0.2)


@MODELS.register_module()
class ClassTokenContrastTerm(LossTerm):
    """Compares class tokens of two global views and of local crops (equation 12).

    The main view is the first global view. The teacher is a moving average of the projection head;
    its backbone is the student's, so its class tokens are the student's, detached.

    Args:
        labels: Name of the label maker that gives regions, such as ``RegionMask``.
        projection_head: Config of the ``ProjectionHead`` for class tokens.
        loss: Config of the loss; default ``ClassTokenContrastLoss``.
        local_crops: ``num`` and ``size`` in pixels of the local crops, and ``positive_threshold``,
            the mean of the region map above which a crop counts as foreground.
        momentum: Momentum m of the teacher, ``t <- m t + (1 - m) s`` once per optimiser step.
        reads: Name of the feature.
        second_view: Name of the second global view.
        local_view: Name of the view, of the geometry of the main one, from which crops are cut.
        **kwargs: As for ``LossTerm``.

    Raises:
        ValueError: If a key of ``local_crops`` is unknown or the momentum is not in (0, 1).
    """

    def __init__(
        self,
        labels: str,
        projection_head: dict,
        loss: dict | None = None,
        local_crops: Mapping[str, Any] | None = None,
        momentum: float = 0.9,
        reads: str = 'class',
        second_view: str = 'view2',
        local_view: str = 'local',
        **kwargs: Any,
    ) -> None:
        super().__init__(loss or dict(type='ClassTokenContrastLoss'), **kwargs)
        unknown = sorted(set(local_crops or {}) - set(_LOCAL_CROPS))
        if unknown:
            raise ValueError(
                f'expected the keys {sorted(_LOCAL_CROPS)} in local_crops of '
                f'ClassTokenContrastTerm, received also {unknown}'
            )
        self.labels = labels
        self.projection_head = MODELS.build(projection_head)
        self.teacher = StepwiseMovingAverage(self.projection_head, momentum=1 - momentum)
        self.local_crops = _LOCAL_CROPS | dict(local_crops or {})
        self.reads = reads
        self.second_view = second_view
        self.local_view = local_view

    def needs(self) -> Needs:
        """What it reads once it has begun.

        Returns:
            Names.
        """
        views = (self.second_view, self.local_view)
        return Needs(features=(self.reads,), labels=(self.labels,), views=views)

    def try_on(self, features: Mapping[str, Tensor]) -> None:
        """Projects the class token.

        Args:
            features: Features of one small image, by name.

        Raises:
            ValueError: If what it reads is no class token.
        """
        token = features[self.reads]
        if token.dim() != 2:
            raise ValueError('no class token (B, C)')
        self.projection_head(token)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The contrast.

        Args:
            batch: The batch.

        Returns:
            ``loss_ctc``.
        """
        crops, positive = self.crops(batch)
        images, number = crops.shape[:2]
        views = torch.stack(
            [self._token(view) for view in (batch.main, batch.view(self.second_view))], dim=1
        )
        local = self._token(batch.run(crops.flatten(0, 1))).unflatten(0, (images, number))
        tokens = torch.cat((views, local), dim=1)
        student = self.projection_head(tokens.flatten(0, 1))
        student = student.unflatten(0, tokens.shape[:2])
        with without_gradient():
            if self.training:
                self.teacher.update_parameters(self.projection_head)
            teacher = self.teacher(views.detach().flatten(0, 1)).unflatten(0, views.shape[:2])
        positive = torch.cat((positive.new_ones(images, views.shape[1]), positive), dim=1)
        return {self.loss.loss_name: self.loss(student, teacher, positive)}

    def _token(self, view: Any) -> Tensor:
        return view.features([self.reads])[self.reads]

    def crops(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Local crops from uncertain and background regions.

        Args:
            batch: The batch.

        Returns:
            Crops (B, N, 3, s, s) and whether each is positive, that is, not all background (B, N).
        """
        region, size = batch.label(self.labels), self.local_crops['size']
        keys = batch.random_maps(region.shape[1:])
        top_left = choose_crops(region, keys, self.local_crops['num'], size)
        positive = crop_is_positive(
            region, top_left, size, threshold=self.local_crops['positive_threshold']
        )
        return extract_crops(batch.views[self.local_view], top_left, size), positive
