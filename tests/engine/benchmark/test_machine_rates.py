from __future__ import annotations

import itertools

import pytest
import torch

from wsss_plugin.engine.benchmark import MachineRates


class Clock:
    """Gives the seconds of a list, one duration for each pair of calls."""

    def __init__(self, durations):
        self.calls = 0
        self.now = 0.0
        self.durations = iter(durations)

    def __call__(self):
        self.calls += 1
        if self.calls % 2 == 0:
            self.now += next(self.durations)
        return self.now


def test_the_fastest_of_the_repeats_counts():
    rates = MachineRates(repeats=3, clock=Clock((3.0, 1.0, 2.0)))
    assert rates.product((1, 2, 3, 4)) == 1.0


def test_each_shape_is_measured_once():
    clock = Clock(itertools.count(1.0))
    rates = MachineRates(repeats=1, clock=clock)
    assert [rates.product(shape) for shape in ((2, 2, 3, 4), (1, 2, 3, 4), (2, 2, 3, 4))] == [
        1,
        2,
        1,
    ]
    assert clock.calls == 4


@pytest.mark.parametrize('number', [1, 3])
def test_the_product_has_the_shape(number, monkeypatch):
    seen = []
    name = 'mm' if number == 1 else 'bmm'
    original = getattr(torch, name)

    def spy(first, second, out):
        seen.append((first.shape, second.shape, out.shape))
        return original(first, second, out=out)

    monkeypatch.setattr(torch, name, spy)
    MachineRates(repeats=1).product((number, 2, 4, 5))
    expected = tuple((number, *side)[number == 1 :] for side in ((2, 4), (4, 5), (2, 5)))
    assert seen == [expected, expected]


def test_bytes_move_at_the_rate_of_the_next_power_of_two():
    rates = MachineRates(repeats=1, clock=Clock((8.0, 5.0)))
    assert rates.move(6144) == 8.0 * 6144 / 8192
    assert rates.move(8192) == 8.0
    assert rates.move(0) == 0.0  # the second measurement, of the smallest size
    assert rates.move(2048) == 5.0 * 2048 / 4096


def test_large_amounts_move_at_the_rate_of_the_largest_copy(monkeypatch):
    monkeypatch.setattr('wsss_plugin.engine.benchmark.machine_rates._LARGEST', 1 << 13)
    rates = MachineRates(repeats=1, clock=Clock((2.0,)))
    assert rates.move(1 << 15) == 8.0
