import pytest
import torch

from wsss_plugin.engine.benchmark import compare_forms


def test_the_first_call_of_each_does_not_count():
    called = []

    def form(name):
        return lambda: torch.tensor(float(called.append(name) is None))

    comparison, largest = compare_forms({'one': (form('package'), form('plain'))}, 2, 0.0)
    assert called == ['package', 'plain'] * 3
    assert largest == 0
    ((part, package, plain, ratio),) = comparison.rows()
    assert part == 'one'
    assert min(package, plain, ratio) > 0


@pytest.mark.parametrize('other', [1.2, float('nan')])
def test_results_that_differ_are_not_compared(other):
    forms = {'one': (lambda: torch.tensor(1.0), lambda: torch.tensor(other))}
    with pytest.raises(RuntimeError, match='expected results that differ by at most'):
        compare_forms(forms, 1, 0.1)


def test_the_largest_difference_of_all_parts_is_given():
    forms = {
        'far': (lambda: torch.tensor([1.0, 2.0]), lambda: torch.tensor([1.0, 2.5])),
        'near': (lambda: torch.tensor(1.0), lambda: torch.tensor(1.25)),
    }
    assert compare_forms(forms, 1, 1.0)[1] == 0.5
