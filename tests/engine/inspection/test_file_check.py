"""Duplicates are told by bytes, not by length."""

from wsss_plugin.engine.inspection.file_check import FileCheck, check_files, same_bytes


def test_same_bytes(tmp_path):
    contents = {'a': b'one', 'b': b'two', 'c': b'one', 'd': b'three', 'e': b'two', 'f': b''}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    paths = [str(tmp_path / name) for name in (*contents, 'a', 'missing')]
    groups = [[path[-1] for path in group] for group in same_bytes(paths)]
    assert groups == [['a', 'c'], ['b', 'e']]


def test_nothing_readable(tmp_path):
    def load(results):
        raise ValueError(f'no\nimage {results["img_path"]}')

    check = check_files([str(tmp_path / 'a')], load)
    assert check.unreadable == {str(tmp_path / 'a'): f'no\\nimage {tmp_path / "a"}'}
    assert check.as_json()['sizes'] == {}
    assert FileCheck().copies == {}
