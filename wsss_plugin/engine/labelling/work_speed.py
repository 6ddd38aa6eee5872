"""How long the steps of a labelling take on this machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.logging import MessageHub
from mmengine.registry import init_default_scope
from mmseg.registry import DATASETS, MODELS
from PIL import Image

from wsss_plugin.evaluation.crf_labels import label_of_scores

_SCALES = 2 * (1.0 + 1.25**2 + 1.5**2)  # of tta_pipeline, each with its mirror image
_CRF = {'num_iter': 10, 'gaussian': (1, 1), 'bilateral': (121, 5, 4)}


@dataclass(frozen=True)
class WorkSpeed:
    """Seconds of one process on its share of the cores.

    Attributes:
        iteration: Of an iteration, on the average of a training.
        mask: Of a mask of several scales with a dense CRF.
    """

    iteration: float
    mask: float


def measure_speed(config: Config, threads: int, repeats: int = 2) -> WorkSpeed:
    """Times a few iterations and one mask, with random weights.

    Args:
        config: The config of the training, one of ``configs/own_data.py``.
        threads: Threads of a process.
        repeats: Iterations that are timed of each phase, after one that is not.

    Returns:
        The speed.
    """
    init_default_scope(config.get('default_scope') or 'mmseg')
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return _measure(config, repeats)
    finally:
        torch.set_num_threads(before)


def _measure(config: Config, repeats: int) -> WorkSpeed:
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    dataset = DATASETS.build(config.train_dataloader.dataset)
    model = MODELS.build(config.model).to(device)
    batch = config.train_dataloader.batch_size
    hub, length = MessageHub.get_current_instance(), config.train_cfg.max_iters
    hub.update_info('max_iters', length)

    def iterate() -> None:
        items = [dataset[index % len(dataset)] for index in range(batch)]
        data = model.data_preprocessor(pseudo_collate(items), training=True)
        losses = model(**data, mode='loss')
        sum(value for name, value in losses.items() if 'loss' in name).backward()
        model.zero_grad()

    model.train()
    # Before and after the segmentation has begun to learn from the labels.
    start = model.terms['seg'].begins(length) / length
    phases = []
    for at in (0, length - 1):
        hub.update_info('iter', at)
        iterate()
        phases.append(_seconds(iterate, repeats))
    iteration = start * phases[0] + (1 - start) * phases[1]
    model.eval()
    size = config.model.data_preprocessor.size
    image = torch.randn(1, 3, *size, device=device)
    with torch.no_grad():
        forward = _seconds(lambda: model.encode_decode(image, [_meta(size)]), 1)
    return WorkSpeed(iteration, forward * _SCALES + _crf_seconds(dataset))


def _meta(size: tuple[int, int]) -> dict[str, Any]:
    return {'img_shape': size, 'ori_shape': size, 'pad_shape': size}


def _crf_seconds(dataset: Any) -> float:
    path = dataset.get_data_info(0)['img_path']
    with Image.open(path) as image:
        shape = image.size[::-1]
    scores = np.full((2, *shape), 0.5, np.float16)
    return _seconds(lambda: label_of_scores(path, scores, np.arange(2), _CRF), 1)


def _seconds(work: Callable[[], Any], repeats: int) -> float:
    # On CPUs the time that was computed, which other work on the machine leaves as it is.
    on_gpu = torch.cuda.is_available()
    clock = time.perf_counter if on_gpu else time.process_time
    started = clock()
    for _ in range(repeats):
        work()
    if on_gpu:
        torch.cuda.synchronize()
    return (clock() - started) / repeats / (1 if on_gpu else torch.get_num_threads())
