import json
import os
import sys
import time

import pytest

from wsss_plugin.engine.device_check import CheckPart, run_parts

_WRITE = "import json, sys; json.dump({'rows': [1]}, open(sys.argv[1], 'w')); print('said')"
# A child that would go on for minutes after its parent's end.
_HANG = (
    'import subprocess, sys, time; print("begun", flush=True); '
    'child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"]); '
    'open(sys.argv[1], "w").write(str(child.pid)); time.sleep(300)'
)


def _part(name, code, seconds=30.0, *arguments):
    return CheckPart(name, [sys.executable, '-c', code, *map(str, arguments)], seconds)


def _is_alive(process):
    try:
        with open(f'/proc/{process}/stat') as file:
            return file.read().rpartition(')')[2].split()[0] not in 'ZX'
    except OSError:
        return False


def test_results_are_there_after_each_part_whatever_becomes_of_the_others(tmp_path, capsys):
    written = []

    def report(found):
        written.append([one['part'] for one in found])
        return ' '.join(one['state'] for one in found)

    child = tmp_path / 'child'
    parts = [
        _part('good', _WRITE, 30.0, tmp_path / 'good.json'),
        _part('bad', 'print("a"); raise SystemExit("why it ended")'),
        _part('endless', _HANG, 5.0, child),
        _part('last', 'pass'),
    ]
    found = run_parts(parts, tmp_path, 60, report)
    assert [one['state'] for one in found] == ['done', 'failed', 'out of time', 'done']
    assert found[0]['results'] == {'rows': [1]}
    assert found[1]['lines'] == ['a', 'why it ended']
    assert found[2]['lines'] == ['begun']
    assert written == [['good', 'bad', 'endless', 'last'][: n + 1] for n in range(4)]
    assert json.loads((tmp_path / 'results.json').read_text()) == found
    assert (tmp_path / 'report.md').read_text() == 'done failed out of time done'
    assert 'endless: out of time after' in capsys.readouterr().out
    end = time.monotonic() + 5
    while _is_alive(int(child.read_text())) and time.monotonic() < end:
        time.sleep(0.05)
    assert not _is_alive(int(child.read_text()))


def test_parts_for_which_no_time_is_left_are_not_begun(tmp_path):
    part = _part('late', _WRITE, 30.0, tmp_path / 'late.json')
    (found,) = run_parts([part], tmp_path, 4, lambda _: '')
    assert found['state'] == 'no time left'
    assert not (tmp_path / 'late.json').exists()


def test_results_of_an_earlier_run_are_not_taken_for_new_ones(tmp_path):
    (tmp_path / 'part.json').write_text('{"rows": [2]}')
    (found,) = run_parts([_part('part', 'pass')], tmp_path, 60, lambda _: '')
    assert found['results'] == {}


def test_variables_are_added_to_those_of_the_process(tmp_path, monkeypatch):
    monkeypatch.setenv('WSSS_KEPT', 'kept')
    code = "import os; raise SystemExit(os.environ['WSSS_KEPT'] + os.environ['WSSS_NEW'])"
    part = CheckPart('part', [sys.executable, '-c', code], 30.0, {'WSSS_NEW': 'new'})
    (found,) = run_parts([part], tmp_path, 60, lambda _: '')
    assert found['lines'] == ['keptnew']
    assert 'WSSS_NEW' not in os.environ


def test_a_part_that_cannot_start_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        CheckPart('none', [str(tmp_path / 'none')], 30.0).run(tmp_path, 30.0)
