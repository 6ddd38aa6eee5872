import pytest

SMALL = ['--size', '24', '--channels', '2', '--repeats', '1']


def test_times_and_memory_of_both_forms(tool, tmp_path, capsys, monkeypatch):
    module = tool('benchmark_par')
    given = []

    def measured(arguments):
        given.append(arguments[1:])
        return {'package': '2.0', 'plain': '30.0'}[arguments[-1]]

    monkeypatch.setattr(module, 'measure_in_own_process', measured)
    out = tmp_path / 'par.md'
    arguments = [*SMALL, '--out', str(out)]
    module.main(arguments)
    text = out.read_text()
    assert text in capsys.readouterr().out
    assert '| PAR of 2 x 24², 2 channels |' in text
    assert '| peak memory | 2 | 30 | 15.00 |' in text
    assert given == [[*arguments, '--peak-of', name] for name in ('package', 'plain')]


def test_peak_of_one_form(tool, capsys, monkeypatch):
    module, called = tool('benchmark_par'), []
    forms = {'package': list, 'plain': lambda: called.append('plain')}
    monkeypatch.setattr(module, 'peak_memory', lambda: 4.0 + 3.0 * len(called))
    monkeypatch.setattr(module, 'forms', lambda _: forms)
    module.main([*SMALL, '--peak-of', 'plain'])
    assert (called, capsys.readouterr().out) == (['plain'], '3.0\n')


def test_forms_that_differ_are_not_compared(tool, monkeypatch):
    module = tool('benchmark_par')
    monkeypatch.setattr(module, 'PAR', lambda: lambda _, masks: masks)
    monkeypatch.setattr(module, 'measure_in_own_process', lambda _: '1')
    with pytest.raises(RuntimeError, match='expected results that differ by at most'):
        module.main(SMALL)


def test_command_line_errors(tool, capsys):
    with pytest.raises(SystemExit):
        tool('benchmark_par').parse_args(['--repeats', '0'])
    assert 'expected numbers' in capsys.readouterr().err
