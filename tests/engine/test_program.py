import subprocess

import pytest

import wsss_plugin
from wsss_plugin.engine import program


@pytest.fixture
def package(tmp_path, monkeypatch):
    """The package in a folder of its own."""
    file = tmp_path / 'wsss_plugin' / '__init__.py'
    file.parent.mkdir()
    file.touch()
    monkeypatch.setattr(wsss_plugin, '__file__', str(file))
    return tmp_path


def test_outside_a_checkout_there_is_no_commit(package):
    (package / 'lib').mkdir()
    assert program.describe_program() == dict(version=wsss_plugin.__version__, commit='')


def test_commit_of_a_checkout_and_whether_files_were_changed(package):
    def git(*arguments):
        identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.org']
        return subprocess.run(
            ['git', '-C', str(package), *identity, *arguments],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()

    git('init')
    git('add', '.')
    git('commit', '-m', 'first')
    git('tag', '-a', '-m', 'a tag', 'v1')
    commit = git('rev-parse', 'HEAD')
    assert program.describe_program()['commit'] == commit
    (package / 'wsss_plugin' / '__init__.py').write_text('changed = True')
    assert program.describe_program()['commit'] == f'{commit}-dirty'
