"""True masks, for full supervision."""

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
class TrueLabels(BaseModule):
    """The masks that the data set loads, for the row "full supervision" of a table.

    Needs ``load_masks=True`` of the data set and ``LoadAnnotations`` in the pipeline, both of which
    a training from tags goes without.
    """

    per_pixel = False  # the truth is not scored against itself

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
