"""Tags that images seem to lack or to have wrongly, by scores that no image gives itself."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from wsss_plugin.errors import ConfigError
from wsss_plugin.whole_file import whole_file

MISSING, WRONG = 'missing', 'wrong'
# Variance of a logit before anything is learnt, whatever the number of features: the inverse
# strength of the regulariser is this over their number.
_SPREAD = 5.0
_COLUMNS = ('image', 'class', 'kind', 'score', 'doubt')


class DoubtfulTag(NamedTuple):
    """A tag that may have to be added or removed.

    Attributes:
        image: Name of the image.
        tag: Name of the class.
        kind: 'missing' or 'wrong'.
        score: Out-of-fold probability of the class in [0, 1].
        doubt: How far that probability is beyond the threshold of confident learning.
    """

    image: str
    tag: str
    kind: str
    score: float
    doubt: float


def out_of_fold_scores(
    features: np.ndarray, tags: np.ndarray, folds: int = 5, seed: int = 0
) -> np.ndarray:
    """Probabilities of each class by logistic regressions that have not seen the image's tags.

    The images are split into folds, for each class with equal shares of it; the scores of a fold
    are those of a regression on the others. With Northcutt, Jiang and Chuang, Confident Learning
    (2021), section 3, such scores are what errors of labels are found by.

    Args:
        features: Features (N, D).
        tags: Tags (N, K), 0 or 1.
        folds: Number of folds, at least 2.
        seed: Seed of the folds.

    Returns:
        Probabilities (N, K), NaN for classes that fewer images than folds have, or lack.

    Raises:
        ConfigError: If ``folds`` is below 2 or above the number of images.
    """
    if not 2 <= folds <= len(features):
        raise ConfigError(
            f'expected from 2 to {len(features)} folds, the number of images, received {folds}'
        )
    # Loaded here, since it takes a second and only this needs it.
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    scores = np.full(tags.shape, np.nan)
    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=_SPREAD / features.shape[1], max_iter=2000)
    )
    splits = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for number, column in enumerate(np.asarray(tags).astype(int).T):
        if min(column.sum(), len(column) - column.sum()) < folds:
            continue
        with warnings.catch_warnings():
            # One that has not converged is good enough to rank by.
            warnings.simplefilter('ignore')
            probabilities = cross_val_predict(
                model, features, column, cv=splits, method='predict_proba'
            )
        scores[:, number] = probabilities[:, 1]
    return scores


def doubtful_tags(
    scores: np.ndarray,
    tags: np.ndarray,
    images: Sequence[str],
    classes: Sequence[str],
    number: int = 50,
) -> list[DoubtfulTag]:
    """The tags that contradict their scores most, the surest first.

    A tag counts as an error where the probability of the opposite reaches the mean of that
    probability over the images that are tagged so (Northcutt, Jiang and Chuang, Confident Learning,
    2021, equations 1 and 2); it is ranked by how far it is beyond.

    Args:
        scores: Probabilities (N, K) of :func:`out_of_fold_scores`.
        tags: Tags (N, K), 0 or 1.
        images: Names of the N images.
        classes: Names of the K classes.
        number: How many tags at most.

    Returns:
        The tags.

    >>> scores = np.array([[0.9], [0.8], [0.9], [0.1], [0.2]])
    >>> found = doubtful_tags(scores, np.array([[1], [1], [0], [0], [0]]), 'abcde', ['cat'])
    >>> [(tag.image, tag.tag, tag.kind) for tag in found]
    [('c', 'cat', 'missing')]
    """
    tagged = np.asarray(tags).astype(bool)
    doubt = np.where(tagged, 1 - scores, scores) - _thresholds(scores, tagged)
    doubt = np.where(np.isnan(doubt) | (doubt < 0), -1.0, doubt)
    order = np.argsort(-doubt, axis=None, kind='stable')[:number]
    found = []
    for row, column in zip(*np.unravel_index(order, doubt.shape), strict=True):
        if doubt[row, column] < 0:
            break
        kind = WRONG if tagged[row, column] else MISSING
        score = float(scores[row, column])
        found.append(
            DoubtfulTag(images[row], classes[column], kind, score, float(doubt[row, column]))
        )
    return found


def _thresholds(scores: np.ndarray, tagged: np.ndarray) -> np.ndarray:
    """Mean confidence of the opposite of each tag, over those that have the opposite."""
    having = np.maximum(tagged.sum(axis=0), 1)
    lacking = np.maximum((~tagged).sum(axis=0), 1)
    present = np.where(tagged, scores, 0).sum(axis=0) / having
    absent = np.where(tagged, 0, 1 - scores).sum(axis=0) / lacking
    return np.where(tagged, absent, present)


def write_doubtful_tags(path: str | Path, tags: Sequence[DoubtfulTag]) -> None:
    """Writes tags as a CSV.

    Args:
        path: The file.
        tags: The tags.
    """
    with whole_file(path, 'w') as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for tag in tags:
            writer.writerow([tag.image, tag.tag, tag.kind, f'{tag.score:.4f}', f'{tag.doubt:.4f}'])
