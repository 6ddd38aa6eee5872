"""The kinds of part that a config puts together, and which classes are of which kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from torch import Tensor

from wsss_plugin.models.backbones.feature_backbone import FeatureBackbone
from wsss_plugin.models.cams.cam_source import CAMSource
from wsss_plugin.models.needs import Needs
from wsss_plugin.models.pseudo_labels.label_filter import LabelFilter
from wsss_plugin.models.pseudo_labels.label_maker import LabelMaker

if TYPE_CHECKING:
    from wsss_plugin.models.backbones import DualBranchBackbone, TimmVisionTransformer
    from wsss_plugin.models.batch import Batch
    from wsss_plugin.models.cams import CAMHead, DecoderCAM
    from wsss_plugin.models.pseudo_labels import PixelLabels, RegionMask, TokenLabels, TrueLabels
    from wsss_plugin.models.terms import (
        ClassificationTerm,
        ClassTokenContrastTerm,
        ConsistencyTerm,
        EnergyTerm,
        PatchTokenContrastTerm,
        SegmentationTerm,
    )

__all__ = ['CAMSource', 'FeatureBackbone', 'LabelFilter', 'LabelMaker', 'Term']


class Term(Protocol):
    """A term of the total loss; ``LossTerm`` is what all of them inherit.

    Attributes:
        loss_weight: Its factor.
        trains: Paths of modules of the segmentor that only it trains.
    """

    loss_weight: float
    trains: tuple[str, ...]

    def needs(self) -> Needs:
        """What it reads once it has begun."""

    def teaches(self) -> Needs:
        """What of that its gradient goes to."""

    def try_on(self, features: Mapping[str, Tensor]) -> None:
        """Raises a ValueError where features are not what it can use.

        Args:
            features: Features of one small image, by name.
        """

    def begins(self, max_iters: int | None) -> int:
        """Its first iteration.

        Args:
            max_iters: Length of the training, where it is known.
        """

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Its losses without its weight, by name in the log.

        Args:
            batch: The batch.
        """


if TYPE_CHECKING:
    # The type checker holds every class against its kind here; nothing of this runs.
    def _backbones(
        dual: DualBranchBackbone, single: TimmVisionTransformer
    ) -> list[FeatureBackbone]:
        return [dual, single]

    def _sources(head: CAMHead, decoder: DecoderCAM) -> list[CAMSource]:
        return [head, decoder]

    def _makers(
        pixel: PixelLabels, token: TokenLabels, region: RegionMask, true: TrueLabels
    ) -> list[LabelMaker]:
        return [pixel, token, region, true]

    def _terms(
        classification: ClassificationTerm,
        consistency: ConsistencyTerm,
        tokens: tuple[PatchTokenContrastTerm, ClassTokenContrastTerm],
        segmentation: SegmentationTerm,
        energy: EnergyTerm,
    ) -> list[Term]:
        return [classification, consistency, *tokens, segmentation, energy]
