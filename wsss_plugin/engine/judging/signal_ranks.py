"""How well signals that need no mask rank runs as true mIoU does."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from wsss_plugin.engine.judging.judgement import SIGNALS
from wsss_plugin.errors import DataError, MissingFileError

ENOUGH = 0.5
LESS_IS_BETTER = ('undecided', 'all_background', 'full_frame')


def read_judgements(files: Sequence[str | Path]) -> list[dict[str, Any]]:
    """Reads judgements that were made beside masks.

    Args:
        files: Files ``judgement.json``, or folders with one.

    Returns:
        Their contents.

    Raises:
        MissingFileError: If there is no such file.
        DataError: If one has no scores of masks.
    """
    found = []
    for file in files:
        path = Path(file, 'judgement.json') if Path(file).is_dir() else Path(file)
        if not path.is_file():
            raise MissingFileError(f'expected a judgement at {path}, found none; judge the run')
        content = json.loads(path.read_text(encoding='utf-8'))
        if not content.get('masks'):
            raise DataError(f'{path}: expected scores of masks, received none; judge with --masks')
        found.append(content)
    return found


def rank_correlations(
    judgements: Sequence[Mapping[str, Any]],
) -> dict[str, tuple[float | None, int]]:
    """Spearman's rank correlation of each signal with true mIoU.

    Signals of which less is better are ranked from the largest to the smallest.

    Args:
        judgements: Judgements of runs on the same images.

    Returns:
        Correlation and number of runs by signal. The former is None with fewer than three runs
        that have the signal, or where all are the same.

    >>> runs = [
    ...     dict(signals=dict(tag_f1=value), masks=dict(segmentation=dict(mIoU=value**2)))
    ...     for value in (10.0, 20.0, 30.0)
    ... ]
    >>> rank_correlations(runs)['tag_f1']
    (1.0, 3)
    """
    from scipy.stats import spearmanr

    found: dict[str, tuple[float | None, int]] = {}
    for signal in SIGNALS:
        sign = -1 if signal in LESS_IS_BETTER else 1
        pairs = [
            (sign * one['signals'][signal], true_miou(one))
            for one in judgements
            if one['signals'].get(signal) is not None
        ]
        values, truths = zip(*pairs, strict=True) if pairs else ((), ())
        if len(pairs) < 3 or len(set(values)) == 1 or len(set(truths)) == 1:
            found[signal] = None, len(pairs)
        else:
            found[signal] = round(float(spearmanr(values, truths).statistic), 2), len(pairs)
    return found


def true_miou(judgement: Mapping[str, Any]) -> float:
    """mIoU of the segmentation by masks.

    Args:
        judgement: Content of a ``judgement.json``.

    Returns:
        That among all classes, where there is one; otherwise among the tags.
    """
    masks = judgement['masks']
    return float((masks.get('segmentation') or masks['restricted'])['mIoU'])
