"""Whether an ONNX file predicts what the segmentor predicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmengine.config import ConfigDict
from mmseg.structures import SegDataSample

from wsss_plugin.engine.onnx_export.exported_network import example_image
from wsss_plugin.errors import ConfigError, cut

# Float32 sums in another order: products of a ViT-B differ in the fifth digit.
_MOST = 1e-3


@dataclass(frozen=True)
class OnnxDifference:
    """How far the two predictions of one image are apart.

    Args:
        size: Height and width of the image in pixels.
        largest: Largest difference of a probability.
        same: Share of the pixels with the same class.
    """

    size: tuple[int, int]
    largest: float
    same: float

    def __str__(self) -> str:
        height, width = self.size
        return (
            f'{height}x{width}: probabilities differ by at most {self.largest:.1e}, '
            f'{100 * self.same:.2f} % of the pixels have the same class'
        )


def compare_with_torch(
    content: bytes, segmentor: Any, channels: int, sizes: Sequence[tuple[int, int]]
) -> list[OnnxDifference]:
    """Predicts images of several sizes by onnxruntime and by the segmentor's own test step.

    Args:
        content: The ONNX file.
        segmentor: The segmentor, in evaluation mode, whose data preprocessor has its part.
        channels: Number of channels of an image.
        sizes: Heights and widths in pixels.

    Returns:
        The differences, one for each size.

    Raises:
        ConfigError: If onnxruntime cannot run the file at a size, or probabilities differ by more
            than 0.001.
    """
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 4
    session = onnxruntime.InferenceSession(content, settings, providers=['CPUExecutionProvider'])
    return [_compared(session, segmentor, channels, size) for size in sizes]


def _compared(session: Any, segmentor: Any, channels: int, size: tuple[int, int]) -> OnnxDifference:
    image = example_image(channels, size, seed=sum(size))
    expected = _segmented(segmentor, image)
    shown = f'{size[0]}x{size[1]}'
    remedy = 'export with --exporter dynamo, which knows networks that compute sizes in Python'
    try:
        probabilities, label = session.run(None, {'image': image[None].numpy()})
    except Exception as error:
        raise ConfigError(
            f'expected an ONNX file for any size, received an error of onnxruntime at {shown} '
            f'({cut(error)}); {remedy}'
        ) from error
    received = torch.from_numpy(probabilities[0])
    if received.shape != expected.shape:
        raise ConfigError(
            f'expected probabilities {tuple(expected.shape)} of the ONNX file at {shown}, received '
            f'{tuple(received.shape)}; {remedy}'
        )
    same = float(np.mean(label[0] == expected.argmax(dim=0).numpy()))
    difference = OnnxDifference(size, float((received - expected).abs().max()), same)
    if not difference.largest <= _MOST:
        raise ConfigError(
            f'expected the ONNX file to predict what the segmentor does, to {_MOST}, received '
            f'{difference}; {remedy}, and set no padding in data_preprocessor.test_cfg'
        )
    return difference


@torch.no_grad()
def _segmented(segmentor: Any, image: torch.Tensor) -> torch.Tensor:
    """Probabilities (K + 1, H, W) of the whole image by the segmentor's test step."""
    size = tuple(image.shape[-2:])
    sample = SegDataSample(metainfo={'ori_shape': size, 'img_shape': size, 'pad_shape': size})
    loaded = image.flip(0) if len(image) == 3 else image
    test_cfg = segmentor.test_cfg
    segmentor.test_cfg = ConfigDict(dict(test_cfg or {}, mode='whole'))
    try:
        data = {'inputs': [loaded], 'data_samples': [sample]}
        (predicted,) = segmentor.test_step(data)
    finally:
        segmentor.test_cfg = test_cfg
    return predicted.seg_logits.data.float().softmax(dim=0).cpu()
