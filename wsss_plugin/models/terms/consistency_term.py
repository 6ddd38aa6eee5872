"""Consistency between the CAMs of two sources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.models.needs import Needs
from wsss_plugin.models.terms.loss_term import LossTerm
from wsss_plugin.ops.cam import normalize_cam
from wsss_plugin.ops.precision import at_least_float32

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch

_COMPARED = ('normalized', 'relu')


@MODELS.register_module()
class ConsistencyTerm(LossTerm):
    """Brings the CAMs of pairs of sources together (dual-branch paper, equation 1).

    Args:
        pairs: Pairs of names of CAM sources; the loss is called with the CAM of the first and of
            the second, so ``detach='second'`` of the loss teaches the first alone.
        loss: Config of the loss, such as ``SemanticConsistencyLoss``.
        compare: 'normalized' compares CAMs scaled to [0, 1] per image and class; 'relu' compares
            the positive part of the raw CAMs, as AMR does.
        **kwargs: As for ``LossTerm``.

    Raises:
        ValueError: If ``compare`` is unknown, or the pairs are none.
    """

    def __init__(
        self,
        pairs: Sequence[Sequence[str]],
        loss: dict,
        compare: str = 'normalized',
        **kwargs: Any,
    ) -> None:
        super().__init__(loss, **kwargs)
        if compare not in _COMPARED:
            raise ValueError(
                f'expected compare of ConsistencyTerm in {_COMPARED}, received {compare!r}'
            )
        self.pairs = [(str(pair[0]), str(pair[1])) for pair in pairs if len(pair) == 2]
        if not self.pairs or len(set(self.pairs)) != len(pairs):
            raise ValueError(
                'expected pairs of ConsistencyTerm as different pairs of names of CAM sources, '
                f"received {pairs!r}; for example (('aux', 'cnn'), ('final', 'cnn'))"
            )
        self.compare = compare

    def needs(self) -> Needs:
        """What it reads once it has begun.

        Returns:
            Names.
        """
        return Needs(raw=tuple(dict.fromkeys(name for pair in self.pairs for name in pair)))

    def teaches(self) -> Needs:
        """What of that its gradient goes to.

        Returns:
            Names; without those whose CAM the loss detaches.
        """
        kept = {'first': (1,), 'second': (0,)}.get(getattr(self.loss, 'detach', 'none'), (0, 1))
        return Needs(raw=tuple(dict.fromkeys(pair[i] for pair in self.pairs for i in kept)))

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Differences of the pairs.

        Args:
            batch: The batch.

        Returns:
            ``loss_consistency_<first>`` for each pair, with the second name behind it where the
            first is in several pairs.
        """
        firsts = [first for first, _ in self.pairs]
        compared = {name: self._comparable(batch.main.raw(name)) for name in self.needs().raw}
        return {
            f'loss_consistency_{first}' + (f'_{second}' if firsts.count(first) > 1 else ''): (
                self.loss(compared[first], compared[second], batch.tags)
            )
            for first, second in self.pairs
        }

    def _comparable(self, raw_cam: Tensor) -> Tensor:
        cam = at_least_float32(raw_cam).relu()
        return normalize_cam(cam) if self.compare == 'normalized' else cam
