import pytest

SMALL = ['--size', '24', '--channels', '2', '--repeats', '1']


def test_times_and_memory_of_both_forms(tool, tmp_path, capsys, monkeypatch):
    module = tool('benchmark_par')
    given = []

    def run(command, **_):
        given.append(command[2:])
        megabytes = {'package': '2.0', 'plain': '30.0'}[command[-1]]
        return type('Done', (), {'returncode': 0, 'stdout': f'hello\n{megabytes}\n'})

    monkeypatch.setattr(module.subprocess, 'run', run)
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

    def usage(_):
        return type('Usage', (), {'ru_maxrss': 4096 + 3072 * len(called)})

    def plain_after(_):
        return {'package': list, 'plain': lambda: called.append('plain')}

    monkeypatch.setattr(module.resource, 'getrusage', usage)
    monkeypatch.setattr(module, 'forms', plain_after)
    module.main([*SMALL, '--peak-of', 'plain'])
    assert (called, capsys.readouterr().out) == (['plain'], '3.0\n')


def test_a_process_that_fails_is_shown(tool, monkeypatch):
    module = tool('benchmark_par')
    failed = type('Done', (), {'returncode': 1, 'stderr': 'out of memory'})
    monkeypatch.setattr(module.subprocess, 'run', lambda *_, **__: failed)
    with pytest.raises(RuntimeError, match='out of memory'):
        module.compare_memory(SMALL)


def test_forms_that_differ_are_not_compared(tool, monkeypatch):
    module = tool('benchmark_par')
    monkeypatch.setattr(module, 'PAR', lambda: lambda _, masks: masks)
    with pytest.raises(RuntimeError, match='expected results that differ by at most'):
        module.compare_times(module.parse_args(SMALL))


def test_command_line_errors(tool, capsys):
    with pytest.raises(SystemExit):
        tool('benchmark_par').parse_args(['--repeats', '0'])
    assert 'expected numbers' in capsys.readouterr().err
