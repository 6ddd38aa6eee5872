import numpy as np
import pytest

from wsss_plugin.evaluation import paired_difference


def _counts(iou):
    """Counts (N, 3, 2) of images of 1000 pixels per class with a given IoU of each class."""
    iou = np.asarray(iou, dtype=np.float64)
    labelled = np.full(iou.shape, 1000.0)
    return np.stack([labelled * iou, labelled * iou, labelled], axis=1)


def test_miou_is_that_of_the_sums_over_images():
    result = paired_difference(_counts([[0.2, 0.4], [0.4, 0.8]]), _counts([[1, 1], [1, 1]]))
    assert (result.first, result.second) == (pytest.approx(45), pytest.approx(100))
    assert result.difference == pytest.approx(55)
    assert result.images == 2


def test_absent_classes_do_not_count():
    counts = np.pad(_counts([[0.5, 0.7]]), ((0, 0), (0, 0), (0, 5)))
    assert paired_difference(counts, counts).first == pytest.approx(60)


def test_hard_images_cancel():
    """The same gain on every image is sure, although images differ far more than that."""
    rng = np.random.default_rng(1)
    first = rng.uniform(0.1, 0.8, size=(60, 2))
    result = paired_difference(_counts(first), _counts(first + 0.02))
    assert result.low == pytest.approx(2)
    assert result.high == pytest.approx(2)
    assert result.is_sure


def test_interval_is_that_of_the_normal_approximation():
    rng = np.random.default_rng(2)
    gain = rng.normal(0, 0.05, size=(400, 1))
    result = paired_difference(_counts(np.full((400, 1), 0.5)), _counts(0.5 + gain), 4000)
    half = 1.96 * 100 * gain.std() / 20
    assert result.high - result.low == pytest.approx(2 * half, rel=0.06)
    assert not result.is_sure


def test_seed_decides_and_more_level_is_wider():
    rng = np.random.default_rng(3)
    counts = [_counts(rng.uniform(0, 1, size=(30, 3))) for _ in range(2)]
    one, same, other = (paired_difference(*counts, seed=seed) for seed in (0, 0, 1))
    assert one == same
    assert one != other
    narrow = paired_difference(*counts, level=0.5)
    assert one.low < narrow.low < narrow.high < one.high


@pytest.mark.parametrize(
    ('shapes', 'arguments', 'message'),
    [
        (((2, 3, 4), (3, 3, 4)), {}, r'of the same images .* \(2, 3, 4\) and \(3, 3, 4\)'),
        (((2, 2, 4), (2, 2, 4)), {}, r'received \(2, 2, 4\)'),
        (((0, 3, 4), (0, 3, 4)), {}, r'received \(0, 3, 4\)'),
        (((2, 3, 4), (2, 3, 4)), {'resamples': 0}, 'at least one resample .* received resamples=0'),
        (((2, 3, 4), (2, 3, 4)), {'level': 1.0}, r'a level in \(0, 1\), received .*level=1\.0'),
    ],
)
def test_errors(shapes, arguments, message):
    with pytest.raises(ValueError, match=message):
        paired_difference(*(np.ones(shape) for shape in shapes), **arguments)
