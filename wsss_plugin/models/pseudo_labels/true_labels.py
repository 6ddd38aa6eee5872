"""True masks, for full supervision."""

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
class TrueLabels(LoadedLabels):
    """The masks that the data set loads, for the row "full supervision" of a table.

    Needs ``load_masks=True`` of the data set and ``LoadAnnotations`` in the pipeline, both of which
    a training from tags goes without.
    """

    def make(self, batch: Batch) -> Tensor:
        """The masks.

        Args:
            batch: The batch, whose samples have ``gt_sem_seg``.

        Returns:
            Label map (B, H, W), int64.

        Raises:
            KeyError: If a sample has no mask.
            ConfigError: If a mask is a pseudo label.
        """
        masks = loaded_masks(batch, 'load_masks=True')
        for sample in batch.data_samples:
            if sample.metainfo.get('label_dir') is not None:
                raise ConfigError(
                    f'expected a true mask for {sample.get("img_path")}, received a pseudo label '
                    f'of {sample.metainfo["label_dir"]}; use StoredLabels, or set load_masks=True '
                    'of the data set in place of label_dir'
                )
        return masks
