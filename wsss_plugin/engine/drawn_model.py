"""A trained model whose predictions are drawn: with CAMs and pseudo labels, image by image."""

from __future__ import annotations

import copy
from typing import Any

import mmcv
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmseg.structures import SegDataSample

from wsss_plugin.engine.run_config import use_final_threshold
from wsss_plugin.engine.scoring_config import wsss_metrics
from wsss_plugin.engine.trained_model import class_meta, load_trained_model

_USUAL_THRESHOLD = 0.5  # of WSSSMetric


def load_drawn_model(config: Config, checkpoint: str) -> tuple[Any, dict[str, Any]]:
    """Builds the model with CAMs and pseudo labels switched on and loads its weights.

    Args:
        config: The config; changed in place.
        checkpoint: The checkpoint file.

    Returns:
        The model in evaluation mode, and names and colours of its classes.

    Raises:
        KeyError: If neither the checkpoint nor the data set names the classes.
    """
    config.model.setdefault('test_cfg', {})
    config.model.test_cfg.update(cam=True, pseudo_label=True)
    use_final_threshold(config)
    model, meta = load_trained_model(config, checkpoint)
    return model, class_meta(config, meta, checkpoint)


@torch.no_grad()
def predict_item(model: Any, item: dict) -> SegDataSample:
    """Predicts one image.

    Args:
        model: The model.
        item: ``inputs`` and ``data_samples``, which are left as they are.

    Returns:
        The predicted sample.
    """
    return model.test_step(copy.deepcopy(pseudo_collate([item])))[0]


def scored_cam_threshold(config: Config) -> float:
    """The threshold with which the config's evaluator scores CAMs.

    Args:
        config: The config.

    Returns:
        The threshold, 0.5 if there is none.
    """
    metrics = wsss_metrics(config).values()
    given = (metric.cam_threshold for metric in metrics if 'cam_threshold' in metric)
    return next(given, _USUAL_THRESHOLD)


def read_image(path: str) -> np.ndarray:
    """Reads an image as the data sets do, so that a turned photograph stays under its prediction.

    Args:
        path: Its file.

    Returns:
        RGB image (H, W, 3), uint8.
    """
    return mmcv.imread(path, channel_order='rgb', backend='pillow')
