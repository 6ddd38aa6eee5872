"""Pseudo labels from files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.errors import ConfigError
from wsss_plugin.models.pseudo_labels.loaded_labels import LoadedLabels
from wsss_plugin.models.pseudo_labels.loaded_masks import loaded_masks

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


@MODELS.register_module()
class StoredLabels(LoadedLabels):
    """The pseudo labels that ``tools/export_labels.py`` has written.

    Needs ``label_dir`` of the data set and ``LoadAnnotations`` in the pipeline; refuses true masks.
    """

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
