"""Fusion of multi-scale and flipped predictions on their logits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import torch
from mmengine.structures import PixelData
from mmseg.models.segmentors import SegTTAModel
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from wsss_plugin.evaluation.size_batches import step_by_size

_FUSIONS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {'sum': torch.add, 'max': torch.maximum}


@MODELS.register_module()
class ScaleMaxTTAModel(SegTTAModel):
    """Sums logits over flips and takes their maximum over scales, as ToCo's VOC test script does.

    MMSegmentation's own ``SegTTAModel`` averages probabilities and leaves the logits of one
    augmentation in the data sample. Here the fused logits replace them, so that a CRF sees them.
    CAMs, where the segmentor made them, are those of the first augmentation. An image, its mirror
    image and others of the same size go through the network as one batch.

    Args:
        module: The segmentor or its config.
        data_preprocessor: Config of the data preprocessor, if the segmentor has none.
        flip_fusion: 'sum' or 'max' of the logits over the flips of one scale.
        scale_fusion: 'sum' or 'max' over the scales; ToCo's COCO script uses the reverse of the
            defaults, ``flip_fusion='max', scale_fusion='sum'``.
        of_probabilities: Fuses probabilities in place of logits, as ClusterCAM does; what is left
            in the sample is their logarithm, of which a softmax gives them with a sum of 1.

    Raises:
        ValueError: If a fusion has another name.
    """

    def __init__(
        self,
        module: dict | nn.Module,
        data_preprocessor: dict | nn.Module | None = None,
        flip_fusion: str = 'sum',
        scale_fusion: str = 'max',
        of_probabilities: bool = False,
    ) -> None:
        super().__init__(module, data_preprocessor)
        for name, fusion in (('flip_fusion', flip_fusion), ('scale_fusion', scale_fusion)):
            if fusion not in _FUSIONS:
                raise ValueError(f'expected {name} among {tuple(_FUSIONS)}, received {fusion!r}')
        self.flip_fusion = flip_fusion
        self.scale_fusion = scale_fusion
        self.of_probabilities = of_probabilities

    def test_step(self, data: Any) -> list[SegDataSample]:
        """Predicts scales and flips, those of one size together, and fuses them.

        Args:
            data: ``inputs`` and ``data_samples``, each a list by augmentation of lists by image.

        Returns:
            One sample per image.
        """
        if not isinstance(data, Mapping):
            return super().test_step(data)
        images = len(data['inputs'][0])
        flat = {key: [one for part in values for one in part] for key, values in data.items()}
        found = step_by_size(self.module.test_step, flat)
        return self.merge_preds([found[image::images] for image in range(images)])

    def merge_preds(self, data_samples_list: list[list[SegDataSample]]) -> list[SegDataSample]:
        """Fuses the augmentations of each image.

        Args:
            data_samples_list: For each image its augmentations, whose ``seg_logits`` (C, H, W) are
                at the original size and no longer flipped, as MMSegmentation's segmentors return.

        Returns:
            One sample per image with fused ``seg_logits`` and their arg-max as ``pred_sem_seg``.

        Raises:
            KeyError: If ``img_shape`` or ``seg_logits`` is missing.
            ValueError: If there is one channel only.
        """
        return [self._merge(data_samples) for data_samples in data_samples_list]

    def _merge(self, data_samples: list[SegDataSample]) -> SegDataSample:
        by_size: dict[tuple[int, ...], list[Tensor]] = {}
        for sample in data_samples:
            if 'img_shape' not in sample.metainfo:
                raise KeyError(
                    'expected img_shape in the data sample, by which flips of one scale are told '
                    'from scales, received none; add it to meta_keys of the packing transform'
                )
            if 'seg_logits' not in sample:
                raise KeyError(
                    f'expected seg_logits of {sample.get("img_path")} to combine its scales and '
                    f'flips, received {sorted(sample.keys())}; a model that segments by CAM '
                    'combines them by itself: test it without --tta'
                )
            size = tuple(sample.img_shape[:2])
            scores = sample.seg_logits.data
            if self.of_probabilities:
                scores = scores.softmax(dim=0)
            by_size.setdefault(size, []).append(scores)
        scales = [reduce(_FUSIONS[self.flip_fusion], flips) for flips in by_size.values()]
        logits = reduce(_FUSIONS[self.scale_fusion], scales)
        if logits.shape[0] < 2:
            raise ValueError(
                'expected logits of two classes or more, background included, received one '
                'channel; use SegTTAModel for a sigmoid output'
            )
        if self.of_probabilities:
            logits = logits.log()
        merged = data_samples[0]
        merged.set_data(
            {
                'seg_logits': PixelData(data=logits),
                'pred_sem_seg': PixelData(data=logits.argmax(dim=0, keepdim=True)),
            }
        )
        return merged
