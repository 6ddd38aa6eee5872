"""How long evaluation and export of a few images take, as they are and as they were."""

from __future__ import annotations

import copy
import io
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config, ConfigDict
from mmengine.logging import MMLogger
from mmengine.runner import Runner
from mmseg.registry import METRICS, MODELS
from PIL import Image

from wsss_plugin.engine.batched_test import augmentations, batch_test
from wsss_plugin.engine.benchmark.one_at_a_time_tta_model import OneAtATimeTTAModel
from wsss_plugin.engine.label_export import (
    LabelFolder,
    ListedImages,
    SegmentationLabels,
    export_settings,
)
from wsss_plugin.engine.scoring_config import enable_crf, enable_tta, wsss_metrics
from wsss_plugin.engine.terminal import hide_toolbox_warnings, quiet_terminal
from wsss_plugin.engine.trained_model import load_trained_model
from wsss_plugin.evaluation.crf_labels import label_of_scores
from wsss_plugin.evaluation.size_batches import step_by_size, usual_batch_size
from wsss_plugin.evaluation.worker_pool import WorkerPool

_CRF = {'num_iter': 10, 'gaussian': (1, 1), 'bilateral': (121, 5, 4)}
_CRF_CLASSES = 3


class LabellingRate:
    """Times evaluation and export of the images of a test set.

    ``together`` says how: images and flips of one size in one batch, images loaded by processes;
    otherwise one at a time, loaded as the config says for an evaluation and in between for an
    export. The CRF runs in processes either way.

    Args:
        config: Config of a segmentor with a decode head.
        checkpoint: The checkpoint file.
        crf_workers: Processes that run the CRF.
        loaders: Processes that load images.
        batch_size: Images in a batch; None for what the tools take.
    """

    def __init__(
        self,
        config: Config,
        checkpoint: str,
        crf_workers: int = 2,
        loaders: int = 2,
        batch_size: int | None = None,
    ) -> None:
        self.config = config
        self.checkpoint = checkpoint
        self.crf_workers = crf_workers
        self.loaders = loaders
        self.batch_size = batch_size
        self.model, _ = load_trained_model(config, checkpoint)
        self._sources: dict[tuple[bool, bool, bool], SegmentationLabels] = {}
        hide_toolbox_warnings(MMLogger.get_current_instance())

    def evaluate(self, images: int, tta: bool, crf: bool, together: bool) -> float:
        """Evaluates the first images of the test set.

        Args:
            images: Number of images.
            tta: Whether several scales and flips are tested.
            crf: Whether a CRF refines the segmentation.
            together: Whether in batches and by several processes.

        Returns:
            Seconds.
        """
        config, model = self._test(images, tta, crf, together)
        loader = Runner.build_dataloader(config.test_dataloader)
        parts = wsss_metrics(config).values()
        metrics = [METRICS.build(copy.deepcopy(part)) for part in parts]
        for metric in metrics:
            metric.dataset_meta = loader.dataset.metainfo
        start = time.perf_counter()
        with torch.no_grad(), quiet_terminal(MMLogger.get_current_instance()):
            for batch in loader:
                found = step_by_size(model.test_step, batch) if together else model.test_step(batch)
                for metric in metrics:
                    metric.process(batch, [one.to_dict() for one in found])
            for metric in metrics:
                metric.evaluate(images)
        return time.perf_counter() - start

    def export(self, images: int, tta: bool, crf: bool, together: bool) -> float:
        """Writes labels of the first images of the test set.

        Args:
            images: Number of images.
            tta: Whether several scales and flips are tested.
            crf: Whether a CRF refines the segmentation.
            together: Whether in batches and by several processes.

        Returns:
            Seconds.
        """
        pipeline = self.config.tta_pipeline if tta else None
        source = self._source(tta, crf, together)
        usual = usual_batch_size(source.num_classes, augmentations(pipeline))
        with tempfile.TemporaryDirectory() as place, redirect_stdout(io.StringIO()):
            names = Path(place, 'names.txt')
            every = ListedImages(self.config, 'test').names[:images]
            names.write_text('\n'.join(every) + '\n', encoding='utf-8')
            listed = ListedImages(self.config, 'test', str(names), pipeline)
            folder = LabelFolder(
                Path(place, 'labels'),
                listed,
                source,
                export_settings(self.config.model, self.checkpoint, source, listed, 255),
                workers=self.crf_workers if crf else 0,
                loaders=self.loaders if together else 0,
                batch_size=(self.batch_size or usual) if together else 1,
            )
            start = time.perf_counter()
            folder.write()
            return time.perf_counter() - start

    def refine(self, images: int, workers: int) -> float:
        """Runs the CRF alone, of three classes, on the images of the test set.

        Args:
            images: Number of images.
            workers: Number of processes, 0 for this one.

        Returns:
            Seconds, without the start of the processes.
        """
        listed = ListedImages(self.config, 'test')
        paths = [listed.path(name) for name in listed.names]
        jobs = [self._job(paths[index % len(paths)]) for index in range(images)]
        if not workers:
            return _seconds(lambda: [label_of_scores(*job) for job in jobs])
        with WorkerPool(workers) as pool:

            def run() -> None:
                for path, *arguments in jobs:
                    pool.run(label_of_scores, arguments, path, _forget)
                pool.drain()

            run()  # The processes start here.
            return _seconds(run)

    @staticmethod
    def _job(path: str) -> tuple[Any, ...]:
        with Image.open(path) as image:
            width, height = image.size
        generator = torch.Generator().manual_seed(0)
        scores = torch.randn(1, _CRF_CLASSES, height // 8 + 1, width // 8 + 1, generator=generator)
        whole = torch.nn.functional.interpolate(scores, (height, width), mode='bilinear')
        values = np.arange(_CRF_CLASSES, dtype=np.uint8)
        return path, whole[0].softmax(dim=0).half().numpy(), values, _CRF

    def _test(self, images: int, tta: bool, crf: bool, together: bool) -> tuple[Config, Any]:
        config = copy.deepcopy(self.config)
        config.test_dataloader.dataset.indices = images
        config.test_dataloader.persistent_workers = False
        if crf:
            enable_crf(config, self.crf_workers)
        model = self.model
        if tta:
            kind = config.tta_model if together else _one_at_a_time(config.tta_model)
            enable_tta(config)
            module = copy.copy(self.model)
            module.test_cfg = ConfigDict({**module.test_cfg, **config.model.module.test_cfg})
            model = MODELS.build({**kind, 'module': module}).eval()
        if together:
            batch_test(config, self.batch_size)
            config.test_dataloader.num_workers = self.loaders
        return config, model

    def _source(self, tta: bool, crf: bool, together: bool) -> SegmentationLabels:
        key = (tta, crf, together)
        if key not in self._sources:
            config = copy.deepcopy(self.config)
            if tta and not together:
                config.tta_model = _one_at_a_time(config.tta_model)
            first = ListedImages(config, 'test')
            self._sources[key] = SegmentationLabels(
                config,
                self.checkpoint,
                with_tags=first.tags(first.names[0]) is not None,
                refine='crf' if crf else None,
                augmented=tta,
            )
        return self._sources[key]


def _one_at_a_time(tta_model: Any) -> dict[str, Any]:
    return {**tta_model, 'type': OneAtATimeTTAModel}


def _seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _forget(_: Any) -> None:
    pass
