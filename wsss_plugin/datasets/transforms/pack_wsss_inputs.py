"""Packing of views, tags and box into the toolbox's data structures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmseg.datasets.transforms import PackSegInputs
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PackWSSSInputs(PackSegInputs):
    """Packs a sample for training with tags, or for testing.

    Args:
        meta_keys (Sequence[str]): Entries that become metainfo of the data sample if present.
    """

    def __init__(
        self,
        meta_keys: Sequence[str] = (
            'img_path',
            'seg_map_path',
            'label_dir',
            'label_weight',
            'ori_shape',
            'img_shape',
            'pad_shape',
            'scale_factor',
            'flip',
            'flip_direction',
            'reduce_zero_label',
            'box',
            'view_geometry',
            'sample_seed',
            'groups',
        ),
    ) -> None:
        super().__init__(meta_keys=tuple(meta_keys))

    def transform(self, results: dict) -> dict:
        """Packs a sample.

        Args:
            results (dict): Has ``views`` (dict of uint8 (h, w, 3) arrays) or ``img``; perhaps
                ``gt_tags`` (K,) and ``gt_seg_map`` (h, w).

        Returns:
            dict: ``inputs``, a dict of uint8 (3, h, w) tensors, one per view, or one such tensor;
            ``data_samples``, a ``SegDataSample`` with ``gt_tags`` float32 (K,) where known.

        Raises:
            KeyError: There is neither an image nor views.
        """
        views = results.get('views')
        if views is None and 'img' not in results:
            raise KeyError('img: expected an image or views, received neither; load one first')
        # The crop itself is not an input once there are views of it.
        packed = super().transform(
            results if views is None else {k: v for k, v in results.items() if k != 'img'}
        )
        if views is not None:
            packed['inputs'] = {name: _to_tensor(view) for name, view in views.items()}
        if 'gt_tags' in results:
            packed['data_samples'].gt_tags = torch.from_numpy(results['gt_tags'].copy())
        return packed


def _to_tensor(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
