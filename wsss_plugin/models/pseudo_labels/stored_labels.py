"""Labels from the files of ``label_dir``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from mmseg.registry import MODELS
from torch import Tensor

from wsss_plugin.errors import ConfigError
from wsss_plugin.models.pseudo_labels.loaded_labels import LoadedLabels
from wsss_plugin.models.pseudo_labels.loaded_masks import loaded_masks

if TYPE_CHECKING:
    from wsss_plugin.models.batch import Batch


@MODELS.register_module()
class StoredLabels(LoadedLabels):
    """The labels that ``tools/export_labels.py`` and ``tools/import_labels.py`` have written.

    Needs ``label_dir`` of the data set and ``LoadAnnotations`` in the pipeline; refuses true masks.
    A label counts in a loss with the weight of its folder.
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
            ConfigError: If a label does not come from a folder of labels.
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

    def image_weights(self, batch: Batch) -> Tensor | None:
        """How much the label of each image counts.

        Args:
            batch: The batch, whose samples may have ``label_weight`` in their metainfo.

        Returns:
            Factors (B,), None where all are 1.
        """
        weights = [sample.metainfo.get('label_weight', 1) for sample in batch.data_samples]
        if all(weight == 1 for weight in weights):
            return None
        return torch.tensor(weights, dtype=torch.float32, device=batch.image.device)
