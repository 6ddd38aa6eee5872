from __future__ import annotations

from wsss_plugin.engine.benchmark import OperatorCall, TimeLimit, limit_tables


class Rates:
    """Products take a second for each row, bytes a second for a hundred."""

    def product(self, shape):
        return float(shape[1])

    def move(self, moved):
        return moved / 100


CALLS = [
    OperatorCall('forward', 'mm', ((1, 2, 5, 5), (1, 4, 5, 5)), 100, 9.0),
    OperatorCall('forward', 'add', (), 300, 4.0),
    OperatorCall('backward', 'mm', ((1, 1, 5, 5),), 800, 8.5),
]


def test_the_larger_of_both_limits_counts():
    costs = TimeLimit(CALLS, Rates()).by(lambda call: call.part)
    assert (costs['forward'].limit, costs['backward'].limit) == (6 + 3, 8)
    assert (costs['forward'].operations, costs['backward'].operations) == (300, 50)
    assert (costs['forward'].moved, costs['forward'].seconds, costs['forward'].calls) == (
        400,
        13,
        2,
    )


def test_parts_are_set_beside_their_time():
    lines = TimeLimit(CALLS, Rates()).parts_table({'forward': 18.0, 'idle': 1.0, 'backward': 8.0})
    assert lines.splitlines()[2:] == [
        '| forward | 3e-07 | 4e-07 | 9 | 18 | 2.00 |',
        '| backward | 5e-08 | 8e-07 | 8 | 8 | 1.00 |',
        '| **all** | 3.5e-07 | 1.2e-06 | 17 | 26 | 1.53 |',
    ]


def test_operators_come_in_order_of_what_they_lose():
    rows = TimeLimit(CALLS, Rates()).operators_table().splitlines()[2:]
    assert rows == ['| mm | 2 | 14 | 17.5 | 3.5 |', '| add | 1 | 3 | 4 | 1 |']
    assert len(TimeLimit(CALLS, Rates()).operators_table(most=1).splitlines()) == 3


def test_nothing_to_do_has_no_ratio():
    assert (
        TimeLimit([], Rates()).parts_table({}).splitlines()[-1] == '| **all** | 0 | 0 | 0 | 0 |  |'
    )


def test_tables_of_an_iteration(monkeypatch):
    monkeypatch.setattr('wsss_plugin.engine.benchmark.time_limit.MachineRates', lambda _: Rates())

    class Trainee:
        class timer:  # noqa: N801
            device = 'cpu'

        def operators(self):
            return CALLS

    text = limit_tables(Trainee(), {'backward': 4.0})
    assert '| backward | 5e-08 | 8e-07 | 8 | 4 | 0.50 |' in text
    assert '| add | 1 | 3 | 4 | 1 |' in text
