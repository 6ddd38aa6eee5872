"""A term of a segmentor's total loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor, nn

from wsss_plugin.models.needs import Needs
from wsss_plugin.models.schedule import as_iteration, check_iteration

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch

_IDLE = ('skip', 'zero')


class LossTerm(BaseModule):
    """Wires a loss into a step: what it reads, its weight, and when it begins.

    A subclass says what it reads (:meth:`needs`) and computes its losses (:meth:`losses`); modules
    that only it uses are its children.

    Args:
        loss: Config of the registered loss; its own ``loss_weight`` stays 1.
        weight: Factor of the term in the total loss.
        start: First iteration, or the share of the training after which it begins.
        idle: What happens before: 'skip' leaves the term's own modules alone; 'zero' gives them
            gradients of zero, as ToCo's code does by a weight of 0: the optimiser's state has begun
            when the term begins, and AdamW's first steps are larger for it.
        trains: Paths of modules of the segmentor that only this term trains, for ``idle='zero'``.
        init_cfg: MMEngine's initialisation config.

    Raises:
        ValueError: If the weight is given twice or negative, ``start`` or ``idle`` is unknown.
    """

    def __init__(
        self,
        loss: Mapping[str, Any] | None = None,
        weight: float = 1.0,
        start: float = 0,
        idle: str = 'skip',
        trains: Sequence[str] = (),
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        kind = type(self).__name__
        if idle not in _IDLE:
            raise ValueError(f'expected idle of {kind} in {_IDLE}, received {idle!r}')
        if weight < 0:
            raise ValueError(f'expected a weight of {kind} of at least 0, received {weight}')
        check_iteration(start, f'start of {kind}')
        self.loss: Any = None if loss is None else self._built(loss)
        self.loss_weight = float(weight)
        self.start = start
        self.idle = idle
        self.trains = tuple(trains)
        self.suffix = ''

    def _built(self, loss: Mapping[str, Any]) -> nn.Module:
        inner = loss.get('loss_weight', 1.0)
        if inner != 1.0:
            kind = type(self).__name__
            raise ValueError(
                f'expected the weight of a {kind} in one place, received loss.loss_weight={inner} '
                'beside the key weight of the term; move the number to weight'
            )
        return MODELS.build(dict(loss))

    def join(self, suffix: str, classifying: Sequence[str]) -> None:  # noqa: ARG002
        """Takes its place among the parts of a segmentor, when that is built.

        Args:
            suffix: Ending of its names in the log, where several terms are of one kind.
            classifying: Names of the CAM sources with classification logits.
        """
        self.suffix = suffix

    def needs(self) -> Needs:
        """What it reads once it has begun.

        Returns:
            Names.
        """
        raise NotImplementedError

    def teaches(self) -> Needs:
        """What of that its gradient goes to.

        Returns:
            Names; all that it reads, where a loss stops none.
        """
        return self.needs()

    def try_on(self, features: Mapping[str, Tensor]) -> None:
        """Runs its own modules on the features that it reads, when the segmentor is built.

        Args:
            features: Features of one small image, by name.

        Raises:
            ValueError: If they are not what the term can use.
        """

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Its losses without its weight; names that do not begin with 'loss' are only logged.

        Args:
            batch: The batch.

        Returns:
            Values by name in the log.
        """
        raise NotImplementedError

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """Its weighted losses.

        Args:
            batch: The batch.

        Returns:
            Values by name in the log; of a batch without images all zero, with gradients of zero.
        """
        losses = {
            f'{name}{self.suffix}': self.loss_weight * value if name.startswith('loss') else value
            for name, value in self.losses(batch).items()
        }
        if len(batch.image):
            return losses
        # The mean over no image is not a number; its gradient, a sum over none, is zero.
        return {name: 0 * value.nan_to_num() for name, value in losses.items()}

    def begins(self, max_iters: int | None) -> int:
        """Its first iteration.

        Args:
            max_iters: Length of the training, needed where ``start`` is a share of it.

        Returns:
            The iteration.
        """
        return as_iteration(self.start, max_iters, f'start of {type(self).__name__}')

    def owned_parameters(self, model: nn.Module) -> list[nn.Parameter]:
        """The parameters that only this term trains.

        Args:
            model: The segmentor.

        Returns:
            Its own parameters and those of ``trains``, as far as they learn.
        """
        modules: list[nn.Module] = [self, *(model.get_submodule(path) for path in self.trains)]
        return [p for module in modules for p in module.parameters() if p.requires_grad]

    def idle_losses(self, name: str, model: nn.Module) -> dict[str, Tensor]:
        """What stands for its losses before it begins.

        Args:
            name: Name of the term.
            model: The segmentor.

        Returns:
            ``loss_idle_<name>``, zero with gradients of zero, with ``idle='zero'``.
        """
        owned = self.owned_parameters(model) if self.idle == 'zero' else []
        if not owned:
            return {}
        # Zero, whose gradient is zero rather than missing.
        return {f'loss_idle_{name}': 0 * torch.stack([p.sum() for p in owned]).sum()}
