"""What a part of a segmentor reads."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Needs:
    """Names of what a loss term or a label maker reads of a batch.

    Attributes:
        features: Features of the backbone, of the main view.
        raw: CAM sources whose raw CAMs of the main view are read, with gradient.
        logits: CAM sources whose classification logits of the main view are read.
        cams: Normalised CAMs over several scales, without gradient.
        labels: Labels.
        views: Other views than the main one.
        heads: Modules of ``heads``; what such a module ``reads`` is read with it.
        decoder: Whether the decode head's logits of the main view are read.
        absent_classes: Whether CAMs of classes are read that no image of the batch has.
    """

    features: tuple[str, ...] = ()
    raw: tuple[str, ...] = ()
    logits: tuple[str, ...] = ()
    cams: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    decoder: bool = False
    absent_classes: bool = False

    def __or__(self, other: Needs) -> Needs:
        """Both together, each name once.

        >>> (Needs(raw=('final',)) | Needs(raw=('final', 'aux'), decoder=True)).raw
        ('final', 'aux')
        """
        joined: dict[str, Any] = {}
        for name in (field.name for field in fields(self)):
            own, others = getattr(self, name), getattr(other, name)
            both = isinstance(own, tuple)
            joined[name] = tuple(dict.fromkeys((*own, *others))) if both else own or others
        return Needs(**joined)
