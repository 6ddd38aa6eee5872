"""What values of a label maker make of the CAMs of a trained network, without a training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import torch
from mmengine.dataset import pseudo_collate

from wsss_plugin.errors import ConfigError, DataError
from wsss_plugin.evaluation import LabelScores
from wsss_plugin.models.segmentors import WeakSegmentor
from wsss_plugin.models.segmentors.cam_prediction import add_label_prediction

_FIELD = 'pseudo_label'


@torch.no_grad()
def sweep_labels(
    model: WeakSegmentor,
    name: str,
    items: Iterable[Mapping[str, Any]],
    values: Mapping[str, Sequence[float]],
) -> dict[tuple[float, ...], dict[str, float]]:
    """Scores the labels of every combination of values; CAMs are made once for each image.

    Args:
        model: The segmentor in evaluation mode.
        name: Name of the label maker.
        items: ``inputs`` and ``data_samples`` of each image.
        values: Values to try of numbers of the label maker, by their names.

    Returns:
        Scores of :class:`LabelScores` by the values, in the order of their names.

    Raises:
        ConfigError: If the label maker has no such number.
        DataError: If an image has no mask or no tags; names it.
    """
    maker = model.labels[name]
    before = _numbers(maker, tuple(values))
    combinations = list(product(*values.values()))
    scores = {key: LabelScores(model.num_classes, maker.ignore_index) for key in combinations}
    try:
        for item in items:
            data = model.data_preprocessor(pseudo_collate([item]), False)
            (sample,) = data['data_samples']
            if 'gt_tags' not in sample or 'gt_sem_seg' not in sample:
                raise DataError(
                    f'{sample.get("img_path")}: expected tags and a mask of every image, received '
                    f'{sorted(sample.keys())}; take it from the list of images'
                )
            batch = model.batch(data['inputs'], [sample])
            for key in combinations:
                _set(maker, dict(zip(values, key, strict=True)))
                add_label_prediction([sample], _FIELD, maker.make(batch))
                scores[key].add(sample.get(_FIELD).data[0], sample.gt_sem_seg.data[0])
    finally:
        _set(maker, before)
    return {key: found.summary() for key, found in scores.items()}


def _numbers(maker: Any, names: Sequence[str]) -> dict[str, float]:
    known = {key: value for key, value in vars(maker).items() if type(value) in (int, float)}
    if unknown := [name for name in names if name not in known]:
        raise ConfigError(
            f'expected names of numbers of {type(maker).__name__}, {sorted(known)}, received '
            f'{unknown}'
        )
    return {name: known[name] for name in names}


def _set(maker: Any, values: Mapping[str, float]) -> None:
    for name, value in values.items():
        # A whole number, such as of steps, stays one.
        setattr(maker, name, int(value) if float(value).is_integer() else value)
