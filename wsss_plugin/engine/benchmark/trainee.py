"""A training whose iterations are timed by part."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from mmseg.structures import SegDataSample
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from wsss_plugin.engine.benchmark.operator_log import OperatorCall, OperatorLog
from wsss_plugin.engine.benchmark.part_timer import PartTimer

VARIANTS = ('package', 'plain')

_REST = 'the rest'


class Trainee:
    """One of two formulations of the same training, with weights and optimiser of its own.

    Its parts are those of the segmentor, under their keys in the config: the main view (features,
    raw CAMs and logits that carry gradients), the CAM passes over several scales, each label maker
    ``labels.<name>`` and each loss term ``terms.<name>``, with the passes that only it needs.

    Args:
        variant: 'package' for the segmentor's own losses, 'plain' for ``plain_losses``, where the
            attention matrix is written out, too.
        segmentor: The segmentor; copied.
        inputs: Normalised views by name, each (B, 3, H, W).
        samples: Their data samples.
        plain_losses: Called with segmentor, inputs, samples and ``PartTimer.part``; gives losses
            by name.
        device: Where it runs.
        dtype: Type of mixed precision, None for float32; losses are not scaled.

    Raises:
        ValueError: If ``variant`` is unknown.
    """

    def __init__(
        self,
        variant: str,
        segmentor: Any,
        inputs: Mapping[str, Tensor],
        samples: Sequence[SegDataSample],
        plain_losses: Callable[..., dict[str, Tensor]],
        device: str,
        dtype: torch.dtype | None = None,
    ) -> None:
        if variant not in VARIANTS:
            raise ValueError(f'expected variant in {VARIANTS}, received {variant!r}')
        self.variant = variant
        self.segmentor = copy.deepcopy(segmentor)
        self.inputs = inputs
        self.samples = list(samples)
        self.plain_losses = plain_losses
        self.timer = PartTimer(device)
        self.dtype = dtype
        if variant == 'plain':
            for module in self.segmentor.modules():
                if hasattr(module, 'fused_attn'):
                    module.fused_attn = False
        trained = [weight for weight in self.segmentor.parameters() if weight.requires_grad]
        self.optimizer = torch.optim.AdamW(trained, lr=6e-5, weight_decay=0.01)

    def losses(self) -> dict[str, Tensor]:
        """Runs the forward passes of an iteration.

        Returns:
            Weighted losses by name.
        """
        kind = self.timer.device.type
        with torch.autocast(kind, dtype=self.dtype, enabled=self.dtype is not None):
            if self.variant == 'plain':
                return self.plain_losses(self.segmentor, self.inputs, self.samples, self.timer.part)
            with self._timed_parts():
                losses = self.segmentor.loss(self.inputs, self.samples)
        return {name: value for name, value in losses.items() if 'loss' in name}

    @contextmanager
    def _timed_parts(self) -> Iterator[None]:
        with ExitStack() as stack:
            stack.enter_context(self.timer.attached(self._methods()))
            for member in self._members().values():
                member.batch = self._timed(member.batch)
                stack.callback(delattr, member, 'batch')
            yield

    def _members(self) -> dict[str, Any]:
        """The segmentors that make batches, by the prefix of their parts."""
        inside = getattr(self.segmentor, 'students', None)
        if inside is None:
            return {'': self.segmentor}
        return {f'{name}.': member for name, member in inside.items()}

    def _methods(self) -> dict[tuple[Any, str], str]:
        methods = {}
        for prefix, member in self._members().items():
            for name, maker in member.labels.items():
                methods[maker, 'make'] = f'{prefix}labels.{name}'
            for name, term in member.terms.items():
                methods[term, 'forward'] = f'{prefix}terms.{name}'
        for name, term in self.segmentor.terms.items():
            methods[term, 'forward'] = f'terms.{name}'
        return methods

    def _timed(self, make_batch: Callable[..., Any]) -> Callable[..., Any]:
        def timed_batch(*args: Any, **kwargs: Any) -> Any:
            batch = make_batch(*args, **kwargs)
            batch.prepare = self.timer.counted(batch.prepare, 'main view')
            batch.cams = self.timer.counted(batch.cams, 'CAM passes')
            return batch

        return timed_batch

    def products(self) -> float:
        """Counts the multiplications and additions of an iteration that are products of matrices.

        Attention counts as its two products, whichever kernel computes it otherwise.

        Returns:
            Operations, each multiplication and each addition one.
        """
        counter = FlopCounterMode(display=False)
        with sdpa_kernel(SDPBackend.MATH), counter:
            torch.stack(list(self.losses().values())).sum().backward()
        self.optimizer.zero_grad()
        return counter.get_total_flops()

    def operators(self) -> list[OperatorCall]:
        """Runs one training iteration and records its operators, by part."""
        log = OperatorLog(lambda: self.timer.current, self.timer.device)
        with log:
            self.iterate()
        return log.calls

    def iterate(self) -> tuple[dict[str, float], dict[str, float]]:
        """Runs one training iteration.

        Returns:
            Losses by name, and seconds by part.
        """
        self.timer.reset()
        with self.timer.part(_REST):
            losses = self.losses()
            total = torch.stack(list(losses.values())).sum()
        with self.timer.part('backward'):
            total.backward()
        with self.timer.part('optimiser step'):
            self.optimizer.step()
            self.optimizer.zero_grad()
        return {name: float(loss.detach()) for name, loss in losses.items()}, self._seconds()

    def _seconds(self) -> dict[str, float]:
        """Seconds by part in the order of the segmentor's parts."""
        seconds, parts = self.timer.seconds, self._methods().values()
        order = ['main view', 'CAM passes', *parts, _REST, 'backward', 'optimiser step']
        return {part: seconds[part] for part in order if part in seconds}
