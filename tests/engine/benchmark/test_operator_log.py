from __future__ import annotations

import torch

from wsss_plugin.engine.benchmark import OperatorLog


def logged(function, **options):
    log = OperatorLog(**options)
    with log:
        function()
    return log.calls


def test_bytes_read_and_written():
    first, second = torch.ones(3, 4), torch.ones(3, 4)
    (call,) = logged(lambda: first + second)
    assert (call.name, call.moved) == ('add', 3 * 48)


def test_writing_into_an_input_counts_reading_and_writing():
    first, second = torch.ones(3, 4), torch.ones(3, 4)
    (call,) = logged(lambda: first.add_(second))
    assert (call.name, call.moved) == ('add_', 3 * 48)


def test_lists_of_tensors_count():
    lists = [torch.ones(2), torch.ones(3)], [torch.ones(2), torch.ones(3)]
    (call,) = logged(lambda: torch._foreach_add_(*lists))
    assert (call.name, call.moved) == ('_foreach_add_', 2 * 20)


def test_repeated_values_count_once():
    row, table = torch.ones(4), torch.ones(3, 4)
    (call,) = logged(lambda: table * row.expand(3, 4))
    assert (call.name, call.moved) == ('mul', 48 + 16 + 48)


def test_views_are_no_operators():
    table = torch.ones(3, 4)
    assert logged(lambda: table.view(4, 3).t()[1:].unsqueeze(0)) == []


def test_a_table_is_read_where_it_is_looked_up():
    table, rows = torch.ones(1000, 4), torch.tensor([1, 5])
    calls = logged(lambda: table.index_select(0, rows))
    assert [(call.name, call.moved) for call in calls] == [('index_select', 2 * 32)]


def test_parts_and_results():
    parts = iter('ab')
    found = []
    calls = logged(
        lambda: found.append(torch.ones(2).add(1).tolist()), part=lambda: next(parts, 'c')
    )
    assert found == [[2.0, 2.0]]
    assert [(call.part, call.name) for call in calls[:2]] == [('a', 'ones'), ('b', 'add')]


def test_the_time_of_an_operator(monkeypatch):
    seconds = iter((1.0, 4.5))
    monkeypatch.setattr('time.perf_counter', lambda: next(seconds))
    table = torch.ones(3)
    (call,) = logged(lambda: table.neg())
    assert call.seconds == 3.5
