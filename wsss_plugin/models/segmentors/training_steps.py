"""What a segmentor of parts does in an iteration of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.logging import MessageHub
from mmseg.structures import SegDataSample
from torch import Tensor

from wsss_plugin.models.batch import Batch
from wsss_plugin.models.needs import Needs
from wsss_plugin.models.phase_plan import active_terms, needs_at, needs_of, phase_starts


class TrainingSteps:
    """Makes a batch, lets every loss term that has begun read it, and collects the losses.

    Attributes:
        terms: The loss terms by name.
        views: Names of the views that terms read beside the main one.
        main_view: Name of the view that is predicted and labelled.
    """

    terms: Any
    views: set[str]
    main_view: str

    def phases(self, max_iters: int | None = None) -> tuple[int, ...]:
        """Iterations at which a term begins or other CAMs make a label.

        Args:
            max_iters: Length of the training; default: that of the running one.

        Returns:
            Iterations, the first 0.
        """
        return phase_starts(self, max_iters or self._running('max_iters'))

    @staticmethod
    def _running(name: str) -> Any:
        return MessageHub.get_current_instance().get_info(name, None)

    def batch(
        self,
        inputs: Tensor | Mapping[str, Tensor],
        data_samples: Sequence[SegDataSample],
        needs: Needs | None = None,
        iteration: int | None = None,
    ) -> Batch:
        """A batch that parts can read.

        Args:
            inputs: Normalised images (B, 3, H, W), or views by name.
            data_samples: Their samples.
            needs: What will be read.
            iteration: 0-based iteration, None outside a training.

        Returns:
            The batch.

        Raises:
            KeyError: If the main view is missing.
        """
        views = inputs if isinstance(inputs, Mapping) else {self.main_view: inputs}
        required = {self.main_view} | (set() if iteration is None else self.views)
        if not required <= set(views):
            raise KeyError(
                f'expected the views {tuple(sorted(required))} as training inputs, received '
                f'{sorted(views)}; use MultiCropViews in the pipeline and MultiViewDataPreProcessor'
            )
        return Batch(self, views, data_samples, needs, iteration, self._running('max_iters'))

    def loss(
        self, inputs: Tensor | Mapping[str, Tensor], data_samples: list[SegDataSample]
    ) -> dict[str, Tensor]:
        """All losses of a training iteration, each already weighted.

        Args:
            inputs: Normalised views by name, or the main view alone, each (B, 3, H, W).
            data_samples: Samples with ``gt_tags``, perhaps ``box`` and ``sample_seed``.

        Returns:
            Losses by name; the dual-branch paper's equation (13) is their sum.

        Raises:
            KeyError: If a view is missing.
            ValueError: If two terms give a loss of the same name.
        """
        return self.losses_of(self.training_batch(inputs, data_samples))

    def training_batch(
        self,
        inputs: Tensor | Mapping[str, Tensor],
        data_samples: list[SegDataSample],
        further: Sequence[Needs] = (),
    ) -> Batch:
        """The batch of a training iteration, in which all that carries gradients is computed.

        Args:
            inputs: Normalised views by name, or the main view alone, each (B, 3, H, W).
            data_samples: Their samples.
            further: What readers outside the segmentor need.

        Returns:
            The batch.

        Raises:
            KeyError: If a view is missing.
        """
        iteration, max_iters = self._running('iter') or 0, self._running('max_iters')
        needs = needs_at(self, iteration, max_iters)
        for own in further:
            needs = needs | needs_of(self, own, iteration, max_iters)
        batch = self.batch(inputs, data_samples, needs, iteration)
        batch.prepare()
        return batch

    def losses_of(self, batch: Batch) -> dict[str, Tensor]:
        """The losses of a batch, and what its parts log.

        Args:
            batch: The batch of a training iteration.

        Returns:
            Values by name.

        Raises:
            ValueError: If two terms give a loss of the same name.
        """
        active = active_terms(self, batch.iteration or 0, batch.max_iters)
        losses: dict[str, Tensor] = {}
        for name, term in self.terms.items():
            new = term(batch) if name in active else term.idle_losses(name, self)
            if repeated := sorted(losses.keys() & new.keys()):
                raise ValueError(
                    f'expected losses of different names, received {repeated} of model.terms.'
                    f'{name} a second time; set loss.loss_name'
                )
            losses.update(new)
        return {**losses, **batch.logged}
