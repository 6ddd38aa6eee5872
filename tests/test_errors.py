from __future__ import annotations

import pickle
import subprocess
import sys

import pytest

from wsss_plugin.errors import (
    ConfigError,
    ConfigTypeError,
    DamagedFileError,
    DataError,
    ExistingFileError,
    MissingFileError,
    WSSSError,
    cut,
    listed,
    received,
)


@pytest.mark.parametrize(
    ('kind', 'usual'),
    [
        (ConfigError, ValueError),
        (ConfigTypeError, TypeError),
        (ExistingFileError, FileExistsError),
        (DataError, ValueError),
        (MissingFileError, FileNotFoundError),
        (DamagedFileError, RuntimeError),
    ],
)
def test_one_kind_that_is_also_the_usual_one(kind, usual):
    error = kind('a.csv: expected tags')
    assert isinstance(error, WSSSError)
    assert isinstance(error, usual)
    assert str(error) == 'a.csv: expected tags'
    # As a worker process hands it over.
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


@pytest.mark.parametrize('show', [cut, received])
@pytest.mark.parametrize(
    'text', ['x' * 10_000_000, 'a\nb\r\u2028c\0' * 99, '\ud800', "it's", 'Kühe']
)
def test_one_short_line_that_can_be_printed(show, text):
    line = show(text)
    assert len(line) < 1000
    assert line.isprintable()
    line.encode()


def test_short_texts_are_shown_whole():
    assert cut("it's Kühe") == "it's Kühe"
    assert received("it's") == '"it\'s"'


def test_values_that_python_itself_cannot_write():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    assert len(received(deep)) < 300
    assert 'int' in received(10**9999)
    assert len(received({str(n): 'x' * 999 for n in range(999)})) < 1000


def test_long_lists_show_their_beginning():
    assert listed(f'class {n}' for n in range(400)).endswith('class 29 and 370 others')


def test_no_toolbox_is_needed():
    code = 'import sys; sys.modules.update(torch=None, mmengine=None, mmseg=None)\n'
    code += "import importlib.util as u; s = u.spec_from_file_location('e', sys.argv[1])\n"
    code += 's.loader.exec_module(u.module_from_spec(s))'
    import wsss_plugin.errors

    subprocess.run([sys.executable, '-c', code, wsss_plugin.errors.__file__], check=True)
