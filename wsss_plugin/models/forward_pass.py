"""One pass of a batch of images through a segmentor, each part of it computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmseg.structures import SegDataSample
from torch import Tensor

from wsss_plugin.models.backbones import Reduction, read_features


class ForwardPass:
    """Features, raw CAMs and logits of one view; whoever reads first has them computed for all.

    They carry gradients if gradients were enabled when the pass was made, also where a reader has
    switched them off meanwhile.

    Args:
        model: The segmentor, whose ``backbone``, ``cams``, ``decode_head``, ``decode_reads`` and
            ``heads`` are used.
        image: Normalised images (B, 3, H, W).
        tags: Multi-hot tags (B, K), None where they are unknown.
        features: Names of all features that will be read, so that the backbone runs once.
        data_samples: The samples of the images; none where these are mirrored or resized.
    """

    def __init__(
        self,
        model: Any,
        image: Tensor,
        tags: Tensor | None = None,
        features: Sequence[str] = (),
        data_samples: Sequence[SegDataSample] = (),
    ) -> None:
        self._model = model
        self.image = image
        self.tags = tags
        self.data_samples = list(data_samples)
        self._planned = tuple(features)
        self._with_gradient = torch.is_grad_enabled()
        self._features: dict[str, Tensor] = {}
        self._raw: dict[str, Tensor] = {}
        self._decode_logits: Tensor | None = None

    @property
    def backbone(self) -> Any:
        """The segmentor's backbone."""
        return self._model.backbone

    @property
    def begun(self) -> bool:
        """Whether the backbone has run."""
        return bool(self._features)

    def features(self, names: Sequence[str]) -> dict[str, Tensor]:
        """Features by name.

        Args:
            names: Which features.

        Returns:
            Features by name, in the order of ``names``.
        """
        if any(name not in self._features for name in names):
            wanted = dict.fromkeys((*self._planned, *names))
            missing = [name for name in wanted if name not in self._features]
            with torch.set_grad_enabled(self._with_gradient):
                self._features.update(
                    read_features(
                        self._model.backbone,
                        self.image,
                        missing,
                        self._reductions(missing),
                        {'tags': self.tags},
                    )
                )
        return {name: self._features[name] for name in names}

    def _reductions(self, names: Sequence[str]) -> dict[str, Reduction]:
        found: dict[str, Reduction] = {}
        for source in self._model.cams.values():
            given: Mapping[str, Reduction] = getattr(source, 'reduce', {})
            found.update({name: reduction for name, reduction in given.items() if name in names})
        return found

    def raw(self, name: str) -> Tensor:
        """Raw CAMs of a source.

        Args:
            name: Its name.

        Returns:
            Maps (B, K, h, w).
        """
        if name not in self._raw:
            source = self.source(name)
            features = self.features(source.reads)
            with torch.set_grad_enabled(self._with_gradient):
                self._raw[name] = source.raw(features, self.tags, self)
        return self._raw[name]

    def logits(self, name: str) -> Tensor:
        """Classification logits of a source.

        Args:
            name: Its name.

        Returns:
            Logits (B, K).
        """
        source = self.source(name)
        return source.logits(self.features(getattr(source, 'logit_reads', source.reads)))

    @property
    def decode_logits(self) -> Tensor:
        """Logits of the decode head, (B, K + 1, h, w)."""
        if self._decode_logits is None:
            maps = self.decode_inputs()
            with torch.set_grad_enabled(self._with_gradient):
                self._decode_logits = self._model.decode_head(maps)
        return self._decode_logits

    def decode_inputs(self) -> tuple[Tensor, ...]:
        """What the decode head reads, in MMSegmentation's form.

        Returns:
            Feature maps in the order of the segmentor's ``decode_reads``.
        """
        return tuple(self.features(self._model.decode_reads).values())

    def source(self, name: str) -> Any:
        """A CAM source.

        Args:
            name: Its name.

        Returns:
            The module.
        """
        return self._model.cams[name]

    def head(self, name: str) -> Any:
        """A module of the segmentor's ``heads``.

        Args:
            name: Its name.

        Returns:
            The module.
        """
        return self._model.heads[name]
