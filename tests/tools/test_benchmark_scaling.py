import json

import pytest

TINY = ['--model', 'test_vit', '--repeats', '1', '--size', '64']


@pytest.fixture
def module(tool):
    return tool('benchmark_scaling')


@pytest.fixture
def processes(module, monkeypatch):
    """Processes that measure (value / 10) ** 2 seconds; gives their command lines."""
    commands = []

    def measured(arguments):
        commands.append(arguments[1:])
        axis, value = arguments[-2], int(arguments[-1])
        return json.dumps(vars(module.Point(axis, value, (value / 10) ** 2, 100.0, 1e9 * value)))

    def joined(arguments, number):
        return [measured(arguments)] * number

    monkeypatch.setattr(module, 'measure_in_own_process', measured)
    monkeypatch.setattr(module, 'measure_in_joined_processes', joined)
    return commands


def test_table_and_plot(module, processes, tmp_path, capsys):
    given = ['--sizes', '10', '20', '--classes', '--batches', '2', '--processes', '1']
    module.main([*given, '--out', str(tmp_path / 'grown')])
    text = (tmp_path / 'grown.md').read_text()
    assert '| side of the images | 10 | 1 | 100 | 10 |  |  |  |' in text
    assert '| side of the images | 20 | 4 | 100 | 20 | **2.00** | 0.00 | 1.00 |' in text
    assert '| images in a batch | 2 | 0.04 | 100 | 2 |  |  |  |' in text
    assert '1 of 2 slopes of time and memory exceed that of the products by more than 0.1.' in text
    assert text.startswith(capsys.readouterr().out.strip())
    assert [command[-3:] for command in processes] == [
        ['--point', 'size', '10'],
        ['--point', 'size', '20'],
        ['--point', 'batch', '2'],
        ['--point', 'processes', '1'],
    ]
    drawing = (tmp_path / 'grown.svg').read_text()
    assert drawing.count('<g id="axes_') == 6


def measured(module, capsys, axis, value):
    module.main([*TINY, '--point', axis, str(value)])
    point = module.Point(**json.loads(capsys.readouterr().out.splitlines()[-1]))
    assert (point.axis, point.value) == (axis, value)
    assert min(point.seconds, point.memory) > 0
    return point.operations


def test_products_grow_as_they_should(module, capsys):
    one, two, classes = (
        measured(module, capsys, *place) for place in (('batch', 1), ('batch', 2), ('classes', 40))
    )
    assert two == pytest.approx(2 * one, rel=0.1)
    assert one < classes < 1.1 * one


def test_command_line_errors(module, capsys):
    with pytest.raises(SystemExit):
        module.parse_args(['--sizes', '0'])
    assert 'expected numbers' in capsys.readouterr().err


def test_several_processes_wait_for_the_slowest(module, monkeypatch):
    def joined(arguments, number):
        del arguments
        points = [module.Point('processes', number, 1.0 + rank, 9.0 - rank, 5) for rank in (0, 1)]
        return [json.dumps(vars(point)) for point in points]

    monkeypatch.setattr(module, 'measure_in_joined_processes', joined)
    args = module.parse_args(['--sizes', '--classes', '--batches', '--processes', '2'])
    assert module.measure(args) == [module.Point('processes', 2, 2.0, 9.0, 5)]
