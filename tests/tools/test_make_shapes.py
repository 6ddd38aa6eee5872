from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

_TOOL = Path(__file__).parents[2] / 'tools' / 'make_shapes.py'


@pytest.fixture(scope='module')
def main():
    return runpy.run_path(str(_TOOL))['main']


def test_writes_and_reports(main, tmp_path, capsys):
    arguments = [str(tmp_path / 'set'), '--train', '2', '--val', '1', '--size', '32']
    assert main(arguments) == 0
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert '"images": 2' in printed
    stored = json.loads((tmp_path / 'set/statistics.json').read_text())
    assert stored['config']['size'] == 32


def test_errors_are_one_line(main, tmp_path, capsys):
    assert main([str(tmp_path / 'set'), '--size', '8']) == 1
    (tmp_path / 'file').write_text('')
    assert main([str(tmp_path)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [line.startswith('make_shapes: ') for line in lines] == [True, True]
