from wsss_plugin.engine.benchmark import publish, report_head


def test_head_names_threads_device_and_command():
    hardware, command, end = report_head('benchmark.py', ['--out', 'a b'], 2, 'cuda').split('  \n')
    assert hardware.startswith('Hardware: ')
    assert '2 threads' in hardware
    assert hardware.endswith('; device cuda')
    assert command == "Command: `python tools/benchmark.py --out 'a b'`"
    assert end == ''


def test_what_is_printed_is_written(tmp_path, capsys):
    publish('time²\n', tmp_path / 'new' / 'table.md')
    assert (tmp_path / 'new' / 'table.md').read_text() == 'time²\n'
    publish('only shown', None)
    assert capsys.readouterr().out == 'time²\n\nonly shown\n'
