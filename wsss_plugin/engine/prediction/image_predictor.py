"""A trained segmentor that predicts any image."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmseg.registry import TRANSFORMS
from torch import Tensor

from wsss_plugin.datasets.class_checks import MOST_CLASSES
from wsss_plugin.datasets.transforms.band_picture import as_rgb, is_rgb
from wsss_plugin.datasets.transforms.load_image_bands import LoadImageBands
from wsss_plugin.engine.config_types import is_kind, type_name
from wsss_plugin.engine.label_export.label_refinement import plain_settings
from wsss_plugin.engine.label_export.segmentation_labels import SegmentationLabels
from wsss_plugin.engine.pipeline_steps import dataset_config, without_files
from wsss_plugin.engine.prediction.image_prediction import ImagePrediction
from wsss_plugin.engine.prediction.window_prediction import predict_by_windows
from wsss_plugin.engine.segmentor_kinds import predicts
from wsss_plugin.engine.trained_model import class_meta
from wsss_plugin.errors import ConfigError
from wsss_plugin.evaluation.dense_crf import dense_crf
from wsss_plugin.models.windowed_cams import check_window
from wsss_plugin.visualization.panel import default_palette

_SMALLEST_PROBABILITY = 1e-5
_WHOLE = 1 << 30


class ImagePredictor:
    """Predicts images that need no tags, by the decode head of a trained segmentor of any kind.

    An image goes through the config's test pipeline, with its resizing. In windows each window
    does, and each is refined by itself. Several scales and flips are fused as ``tta_model`` says.

    Args:
        config: The config of the training.
        checkpoint: The checkpoint file.
        tta: Whether several scales and flips are predicted, by ``tta_pipeline`` and ``tta_model``.
        crf: Whether a dense CRF refines the probabilities, with the settings of the config's test.
        window: Side in pixels of windows in which large images are seen; None for the whole.
        stride: Distance between windows; None for two thirds of the side.
        device: Such as 'cpu' or 'cuda:0'; None for the GPU if there is one.

    Attributes:
        classes: Names of the classes, background first.
        palette: Their colours (C, 3), 0 to 255.
        loader: What loads images of many bands, None for RGB images.

    Raises:
        ConfigError: If the segmentor has no decode head, the config no test pipeline, the classes
            are too many for 8 bits or not those of the decode head, the stride does not fit, or
            the device is unknown.
        KeyError: If nobody names the classes, or ``tta`` lacks its part of the config.
        FileNotFoundError: If the checkpoint does not exist.
        ImportError: If pydensecrf2 is missing and a CRF is asked for.
    """

    def __init__(
        self,
        config: Config,
        checkpoint: str,
        tta: bool = False,
        crf: bool = False,
        window: int | None = None,
        stride: int | None = None,
        device: str | None = None,
    ) -> None:
        self._window = _checked_window(window, stride)
        _require_decode_head(config)
        pipeline = _pipeline(config, tta)
        self._source = SegmentationLabels(
            config,
            checkpoint,
            with_tags=False,
            refine='crf' if crf else None,
            augmented=tta,
        )
        if device is not None:
            self._source.model.to(_device(device))
        self._transform = Compose(pipeline)
        self.loader = _band_loader(config)
        meta = class_meta(config, self._source.model.dataset_meta, checkpoint)
        self.classes = tuple(meta['classes'])
        self.palette = meta.get('palette') or default_palette(len(self.classes))
        _check_classes(self.classes, self._source.num_classes)

    @property
    def method(self) -> dict[str, Any]:
        """What a prediction depends on beside config and checkpoint, as values for JSON."""
        crf = self._source.settings
        return {
            'tta': self._source.augmented,
            'crf': None if crf is None else plain_settings(crf),
            'window': None if self._window is None else list(self._window),
        }

    def __call__(self, image: np.ndarray, path: str = 'image') -> ImagePrediction:
        """Predicts an image.

        Args:
            image: RGB image (H, W, 3), uint8; or bands (H, W, C) as ``loader`` gives them.
            path: Its file, for errors.

        Returns:
            Class and score of each pixel, at the size of the image.

        Raises:
            DataError: If the image or a window is smaller than a patch of the network.
            ValueError: If it is no RGB image of 8 bits, or has other bands than the config loads.
        """
        self._require_kind(image)
        window, stride = self._window or (_WHOLE, _WHOLE)
        return predict_by_windows(
            image, window, stride, lambda part: self._probabilities(part, path)
        )

    def _require_kind(self, image: np.ndarray) -> None:
        if self.loader is not None:
            if image.ndim != 3 or image.shape[2] != self.loader.in_channels:
                raise ValueError(
                    f'expected an image (H, W, {self.loader.in_channels}) as the loader of the '
                    f"config gives it, received {image.shape}; load it by the predictor's loader"
                )
        elif image.ndim != 3 or not is_rgb(image):
            raise ValueError(
                f'expected an RGB image (H, W, 3) of uint8, received {image.shape} of '
                f'{image.dtype}; convert it'
            )

    def _probabilities(self, image: np.ndarray, path: str) -> Tensor:
        size = image.shape[:2]
        results = {
            # The pipelines' order of colours is that of OpenCV.
            'img': np.ascontiguousarray(image[..., ::-1] if self.loader is None else image),
            'img_path': path,
            'img_shape': size,
            'ori_shape': size,
            'reduce_zero_label': False,
            'seg_fields': [],
        }
        found = self._source.probabilities(self._transform(results))
        settings = self._source.settings
        return found if settings is None else _refined(as_rgb(image), found, settings)


def _refined(image: np.ndarray, probabilities: Tensor, settings: dict[str, Any]) -> Tensor:
    """Those of the classes that occur, after the CRF; the others are 0."""
    seen = probabilities.flatten(1).amax(dim=1) > _SMALLEST_PROBABILITY
    if seen.sum() == 1:
        return probabilities
    refined = torch.zeros_like(probabilities)
    whole = np.ascontiguousarray(image)
    refined[seen] = torch.from_numpy(dense_crf(whole, probabilities[seen].numpy(), **settings))
    return refined


def _checked_window(window: int | None, stride: int | None) -> tuple[int, int] | None:
    if window is None:
        if stride is not None:
            raise ConfigError(f'expected --stride with --window, received --stride {stride} alone')
        return None
    chosen = window, max(window * 2 // 3, 1) if stride is None else stride
    check_window(*chosen)
    return chosen


def _band_loader(config: Config) -> LoadImageBands | None:
    for step in dataset_config(config, 'test')['pipeline']:
        if is_kind(step, 'LoadImageBands', TRANSFORMS):
            return TRANSFORMS.build(step)
    return None


def _require_decode_head(config: Config) -> None:
    if predicts(config.model)['segmentation'] != 'decode_head':
        raise ConfigError(
            'expected a segmentor with a decode head for images without tags, received '
            f'{type_name(config.model)} without, whose CAMs need tags; draw them by '
            'tools/draw_panels.py --images FILE --tags CLASS, or train a segmentor on the labels '
            'of tools/export_labels.py'
        )


def _pipeline(config: Config, tta: bool) -> list[Any]:
    missing = [key for key in ('tta_model', 'tta_pipeline') if tta and key not in config]
    if missing:
        raise KeyError(
            f'expected tta_model and tta_pipeline in the config for --tta, received none of '
            f'{missing}; take them from configs/_base_/datasets/'
        )
    return without_files(config.tta_pipeline if tta else dataset_config(config, 'test')['pipeline'])


def _device(name: str) -> torch.device:
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        first = str(error).partition('\n')[0]
        raise ConfigError(
            f'expected a device of this machine for --device, such as cpu or cuda:0, received '
            f'{name} ({first}); leave --device out for the GPU if there is one'
        ) from error
    return device


def _check_classes(classes: tuple[str, ...], predicted: int) -> None:
    if len(classes) != predicted:
        raise ConfigError(
            f'expected {predicted} names of classes, as many as the decode head predicts, received '
            f'{len(classes)}; set test_dataloader.dataset.metainfo.classes as in the training'
        )
    if len(classes) - 1 > MOST_CLASSES:
        raise ConfigError(
            f'expected at most {MOST_CLASSES} classes beside the background, received '
            f'{len(classes) - 1}; masks have 8 bits: choose fewer classes'
        )
