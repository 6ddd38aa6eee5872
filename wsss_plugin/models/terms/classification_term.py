"""Classification of images by their tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.needs import Needs
from wsss_plugin.models.terms.loss_term import LossTerm

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


@MODELS.register_module()
class ClassificationTerm(LossTerm):
    """Teaches CAM sources, or class tokens, which classes an image has (equation 10).

    Args:
        loss: Config of the loss, called with logits (B, K) and tags (B, K); default
            ``MultiLabelSoftMarginLoss``.
        cams: Names of the CAM sources; None for every source with logits.
        reads: Name of a feature (B, K, C), class tokens whose mean over C are the logits, in place
            of CAM sources.
        **kwargs: As for ``LossTerm``.

    Raises:
        ValueError: If both ``cams`` and ``reads`` are given.
    """

    def __init__(
        self,
        loss: dict | None = None,
        cams: Sequence[str] | None = None,
        reads: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(loss or dict(type='MultiLabelSoftMarginLoss'), **kwargs)
        if cams is not None and reads is not None:
            raise ValueError(
                f'expected cams or reads of ClassificationTerm, received both {tuple(cams)} and '
                f'{reads!r}; make two terms'
            )
        self.cams = None if cams is None else tuple(cams)
        self.reads = reads

    def join(self, suffix: str, classifying: Sequence[str]) -> None:
        """Takes its place, and every source with logits where none was named.

        Args:
            suffix: Ending of its names in the log, where several terms are of one kind.
            classifying: Names of the CAM sources with classification logits.
        """
        super().join(suffix, classifying)
        if self.cams is None and self.reads is None:
            self.cams = tuple(classifying)

    def needs(self) -> Needs:
        """What it reads once it has begun.

        Returns:
            Names.
        """
        if self.reads is not None:
            return Needs(features=(self.reads,))
        return Needs(logits=self.cams or ())

    def try_on(self, features: Mapping[str, Tensor]) -> None:
        """Checks that what it reads in place of CAM sources are class tokens.

        Args:
            features: Features of one small image, by name.

        Raises:
            ValueError: If they are none.
        """
        if self.reads is not None and features[self.reads].dim() != 3:
            raise ValueError('no class tokens (B, K, C)')

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Classification losses.

        Args:
            batch: The batch.

        Returns:
            ``loss_cls_<source>`` for each source, ``loss_cls`` where there is only one.
        """
        if self.reads is not None:
            tokens = batch.main.features([self.reads])[self.reads]
            return {'loss_cls': self.loss(tokens.mean(dim=2), batch.tags)}
        names = self.cams or ()
        keys = ['loss_cls'] if len(names) == 1 else [f'loss_cls_{name}' for name in names]
        return {
            key: self.loss(batch.main.logits(name), batch.tags)
            for key, name in zip(keys, names, strict=True)
        }
