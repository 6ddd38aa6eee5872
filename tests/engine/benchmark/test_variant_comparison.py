import pytest

from wsss_plugin.engine.benchmark import (
    Comparison,
    compare_iterations,
    compare_products,
    largest_difference,
)


class FixedTrainee:
    """Takes ``seconds`` in its first part and one in its second, and has one loss."""

    def __init__(self, variant, seconds, loss=1.0):
        self.variant, self.seconds, self.loss = variant, seconds, loss

    def iterate(self):
        return {'loss': self.loss}, {'views': self.seconds, 'backward': 1.0}

    def products(self):
        return 1e9 * self.seconds


def test_losses_that_differ_are_refused():
    assert largest_difference({'a': 1.0}, {'a': 1.0 + 1e-6}) < 1e-5
    with pytest.raises(ValueError, match='equal losses'):
        largest_difference({'a': 1.0}, {'a': 1.1})
    with pytest.raises(ValueError, match='equal losses'):
        largest_difference({'a': float('nan')}, {'a': 1.0})
    with pytest.raises(ValueError, match='same losses'):
        largest_difference({'a': 1.0}, {'b': 1.0})


def test_parts_and_their_sum():
    comparison = Comparison()
    pair = FixedTrainee('package', 1.0), FixedTrainee('plain', 5.0, 1.0005)
    assert compare_iterations(comparison, pair, 3) == pytest.approx(0.0005 / 1.0005)
    rows = {part: row for part, *row in comparison.rows()}
    assert rows == {
        'views': [1, 5, 5],
        'backward': [1, 1, 1],
        '**iteration**': [2, 6, 3],
    }


def test_one_alone():
    comparison = Comparison()
    assert compare_iterations(comparison, [FixedTrainee('package', 1.0)], 1) == 0
    assert 'plain' not in comparison.markdown()


def test_products_are_in_billions():
    pair = FixedTrainee('package', 2.0), FixedTrainee('plain', 3.0)
    assert compare_products(pair).rows() == [('products of an iteration', 2, 3, 1.5)]
