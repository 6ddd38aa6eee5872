"""Command-line choices on how a model is tested, put into its config."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.config import Config
from mmseg.registry import METRICS

from wsss_plugin.engine.config_types import is_kind, type_name


def enable_tta(config: Config) -> None:
    """Tests at several scales and flipped, as ``tta_model`` and ``tta_pipeline`` say.

    Args:
        config (Config): Changed in place.

    Raises:
        KeyError: If the config has no ``tta_model`` or no ``tta_pipeline``.
    """
    missing = [key for key in ('tta_model', 'tta_pipeline') if key not in config]
    if missing:
        raise KeyError(
            f'expected tta_model and tta_pipeline in the config for --tta, received none of '
            f'{missing}; take them from configs/_base_/datasets/'
        )
    config.test_dataloader.dataset.pipeline = config.tta_pipeline
    scales, flip = _protocol(config.tta_pipeline)
    for metric in wsss_metrics(config).values():
        metric.update(scales=scales, flip=flip)
    # A CAM is multi-scale by itself; under augmentation only the first one would be kept.
    config.model.setdefault('test_cfg', {})
    config.model.test_cfg['cam'] = False
    config.tta_model.module = config.model
    config.model = config.tta_model


def enable_crf(config: Config, workers: int | None = None) -> None:
    """Refines predictions by a dense CRF before they are scored.

    Args:
        config (Config): Changed in place: ``crf`` of every WSSSMetric that has none.
        workers (int, optional): Processes that run the CRF.

    Raises:
        KeyError: If ``test_evaluator`` has no WSSSMetric.
    """
    metrics = wsss_metrics(config)
    if not metrics:
        raise KeyError(
            f'expected a WSSSMetric in test_evaluator for --crf, received {config.test_evaluator}'
        )
    for metric in metrics.values():
        if metric.get('crf') is None:
            metric['crf'] = {}
        if workers is not None:
            metric['crf_workers'] = workers


def enable_drawing(config: Config, folder: str) -> None:
    """Draws predictions into a folder while testing.

    Args:
        config (Config): Changed in place.
        folder (str): The pictures are put into ``vis_data/vis_image`` below it, by the toolbox.

    Raises:
        KeyError: If the config has no visualization hook or no visualizer.
    """
    if 'visualization' not in config.get('default_hooks', {}) or 'visualizer' not in config:
        raise KeyError(
            'expected default_hooks.visualization and visualizer in the config for --show-dir, '
            "received a config without; add visualization=dict(type='SegVisualizationHook')"
        )
    config.default_hooks.visualization.draw = True
    # The toolbox's default draws one batch in fifty.
    config.default_hooks.visualization.setdefault('interval', 1)
    config.visualizer.save_dir = folder


def wsss_metrics(config: Config) -> dict[str, Any]:
    """The metrics of this package, or subclasses of them, in ``test_evaluator``.

    Args:
        config (Config): The config.

    Returns:
        dict: Parts of the config, which may be changed, by their dotted keys.

    Examples:
        >>> wsss_metrics(Config(dict(test_evaluator=[dict(type='A'), dict(type='WSSSMetric')])))
        {'test_evaluator.1': {'type': 'WSSSMetric'}}
    """
    given = config.get('test_evaluator') or []
    if isinstance(given, Mapping):
        parts = {'test_evaluator': given}
    else:
        parts = {f'test_evaluator.{index}': part for index, part in enumerate(given)}
    return {key: part for key, part in parts.items() if is_kind(part, 'WSSSMetric', METRICS)}


def _protocol(pipeline: Sequence[Mapping[str, Any]]) -> tuple[tuple[float | None, ...], bool]:
    """Scales (None for one that cannot be told) and flip of a pipeline with TestTimeAug."""
    scales: list[float | None] = []
    flip = False
    for step in pipeline:
        for alternatives in step.get('transforms', []) if type_name(step) == 'TestTimeAug' else []:
            for transform in alternatives:
                if not {'scale', 'scale_factor'}.isdisjoint(transform):
                    scales.append(_scale(transform))
                flip |= type_name(transform) == 'RandomFlip' and transform.get('prob') == 1.0
    if None in scales:
        warnings.warn(
            'expected Resize with one number as scale_factor in TestTimeAug of tta_pipeline, '
            'received other sizes; the test goes on, some scales in its protocol are unknown',
            stacklevel=3,
        )
    return tuple(scales) or (1.0,), flip


def _scale(transform: Mapping[str, Any]) -> float | None:
    """Factor by which a transform resizes, None where that depends on the image or the side."""
    factor = transform.get('scale_factor')
    factors = set(factor) if isinstance(factor, Sequence) else {factor}
    (common,) = factors if len(factors) == 1 else (None,)
    return float(common) if isinstance(common, int | float) else None
