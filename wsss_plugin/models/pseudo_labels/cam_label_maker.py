"""What label makers from CAMs have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mmengine.model import BaseModule
from torch import Tensor

from wsss_plugin.models.needs import Needs
from wsss_plugin.models.part_building import build_parts
from wsss_plugin.models.present_classes import PresentClasses
from wsss_plugin.models.pseudo_labels.background_thresholds import BackgroundThresholds
from wsss_plugin.models.schedule import Schedule
from wsss_plugin.models.without_gradient import without_gradient
from wsss_plugin.ops.cam import average_cams

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


class CAMLabelMaker(BaseModule):
    """Averages CAMs, makes a label by two background thresholds, and filters it.

    Args:
        cams: Names of the CAM sources whose CAMs are averaged, or pairs (iteration, names).
        thresholds: ``low`` and ``high`` of this maker alone; None for the segmentor's.
        filters: Configs of label filters by name, applied by sorted name; None leaves one out.
        ignore_index: Label of ignored positions.
        init_cfg: MMEngine's initialisation config.

    Raises:
        ValueError: If the CAMs or the thresholds are not as said.
    """

    per_pixel = False
    # Whether maps of classes that no image of the batch has could not change the label.
    of_present_classes = False

    def __init__(
        self,
        cams: Sequence[Any],
        thresholds: Mapping[str, Any] | None = None,
        filters: Mapping[str, Any] | None = None,
        ignore_index: int = 255,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.schedule = Schedule(cams, f'cams of {type(self).__name__}')
        own = {'key': 'labels.<name>.thresholds', **(thresholds or {})}
        self.thresholds = BackgroundThresholds(**own) if thresholds else None
        self.ignore_index = ignore_index
        self.filters = build_parts(filters, 'labels.<name>.filters')

    def needs(self, iteration: int | None, max_iters: int | None) -> Needs:
        """What it reads.

        Args:
            iteration: 0-based iteration, None outside a training.
            max_iters: Length of the training, where it is known.

        Returns:
            Names.
        """
        cams = self.schedule.at(iteration, max_iters)
        needs = Needs(cams=cams, absent_classes=not self.of_present_classes)
        for label_filter in self.filters.values():
            if hasattr(label_filter, 'needs'):
                needs = needs | label_filter.needs(iteration, max_iters)
        return needs

    def starts(self, max_iters: int | None) -> tuple[int, ...]:
        """Iterations at which other CAMs make the label.

        Args:
            max_iters: Length of the training, where it is known.

        Returns:
            Iterations, the first 0.
        """
        return self.schedule.starts(max_iters)

    def make(
        self,
        batch: Batch,
        cams: Sequence[str] | None = None,
        low: float | None = None,
        high: float | None = None,
    ) -> Tensor:
        """The label.

        Args:
            batch: The batch.
            cams: Names of other CAMs for this call.
            low: Another low threshold for this call.
            high: Another high threshold for this call.

        Returns:
            A tensor without gradient.
        """
        label = self.unfiltered(batch, cams, low, high)
        with without_gradient():
            for label_filter in self.filters.values():
                label = label_filter(batch, label)
        return label

    def unfiltered(
        self,
        batch: Batch,
        cams: Sequence[str] | None = None,
        low: float | None = None,
        high: float | None = None,
    ) -> Tensor:
        """The label before the first filter.

        Args:
            batch: The batch.
            cams: Names of other CAMs for this call.
            low: Another low threshold for this call.
            high: Another high threshold for this call.

        Returns:
            A tensor without gradient.
        """
        names = cams or self.schedule.at(batch.iteration, batch.max_iters)
        thresholds = self.thresholds or batch.thresholds
        low = thresholds.low if low is None else low
        with without_gradient():
            chosen = thresholds.high_of(batch.tags) if high is None else high
            if not self.of_present_classes:
                return self.label(batch, average_cams(batch.cams(names)), low, chosen)
            seen: Any = PresentClasses(batch)
            label = self.label(seen, average_cams(seen.cams(names)), low, chosen)
            return self.whole_label(seen, label)

    def whole_label(self, seen: PresentClasses, label: Tensor) -> Tensor:
        """A label of the present classes in the numbers of all classes.

        Args:
            seen: What the label was made of.
            label: The label that it made.

        Returns:
            The label of the batch.
        """
        return seen.whole_label(label, self.ignore_index)

    def label(self, batch: Batch, cam: Tensor, low: float, high: float | Tensor) -> Tensor:
        """The label that a CAM makes; subclasses say how.

        Args:
            batch: The batch.
            cam: Normalised CAM (B, K, H, W) in [0, 1].
            low: Low background threshold.
            high: High background threshold, a number or one per image (B,).

        Returns:
            A tensor without gradient.
        """
        raise NotImplementedError
