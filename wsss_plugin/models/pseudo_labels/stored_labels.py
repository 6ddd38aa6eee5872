"""Pseudo labels from files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmengine.model import BaseModule
from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.errors import ConfigError
from wsss_plugin.models.needs import Needs
from wsss_plugin.models.pseudo_labels.loaded_masks import loaded_masks

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


@MODELS.register_module()
class StoredLabels(BaseModule):
    """The pseudo labels that ``tools/export_labels.py`` has written.

    Needs ``label_dir`` of the data set and ``LoadAnnotations`` in the pipeline; refuses true masks.
    """

    per_pixel = False  # it needs no CAM, and is scored where it is made

    def needs(self, iteration: int | None, max_iters: int | None) -> Needs:  # noqa: ARG002
        """What it reads of the network: nothing.

        Args:
            iteration: Unused.
            max_iters: Unused.

        Returns:
            No names.
        """
        return Needs()

    def starts(self, max_iters: int | None) -> tuple[int, ...]:  # noqa: ARG002
        """Iterations at which it begins to read something else.

        Args:
            max_iters: Unused.

        Returns:
            Only 0.
        """
        return (0,)

    def make(self, batch: Batch) -> Tensor:
        """The labels.

        Args:
            batch: The batch, whose samples have ``gt_sem_seg`` and, in their metainfo,
                ``label_dir``.

        Returns:
            Label map (B, H, W), int64.

        Raises:
            KeyError: If a sample has no label.
            ConfigError: If a label does not come from a folder of pseudo labels.
        """
        labels = loaded_masks(batch, "label_dir='...'")
        for sample in batch.data_samples:
            if sample.metainfo.get('label_dir') is None:
                raise ConfigError(
                    f'expected a pseudo label for {sample.get("img_path")}, received a true mask; '
                    'set label_dir of the data set in place of load_masks, and keep label_dir '
                    'among meta_keys of PackWSSSInputs, or use TrueLabels'
                )
        return labels
