from pathlib import Path

import pytest

from wsss_plugin.engine.ablation import RecordFolder, RunRecord, config_name


@pytest.mark.parametrize(
    ('path', 'name'),
    [
        ('configs/all.py', 'all'),
        ('configs/animals/all.py', 'animals/all'),
        ('configs/old/configs/animals/all.py', 'animals/all'),
        ('/elsewhere/all.v2.py', 'all.v2'),
    ],
)
def test_name_of_a_config(path, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert config_name(Path(path)) == name


def test_an_empty_folder_has_a_place_for_every_run(tmp_path):
    folder = RecordFolder(tmp_path / 'none')
    assert folder.file('a/b', 2, 'x') == tmp_path / 'none' / 'a' / 'b' / 'seed_2.json'


def test_figures_of_a_config_are_found_by_every_digest(tmp_path):
    file = tmp_path / 'a' / 'seed_0.json'
    RunRecord(digest='x', equal=('y',)).write(file)
    folder = RecordFolder(tmp_path)
    assert folder.file('b', 0, 'x') == folder.file('b', 0, 'y') == file
    assert folder.file('b', 0, 'z') == tmp_path / 'b' / 'seed_0.json'
    assert folder.file('b', 1, 'x') == tmp_path / 'b' / 'seed_1.json'


def test_a_broken_record_is_named(tmp_path):
    (tmp_path / 'seed_0.json').write_text('{')
    with pytest.raises(ValueError, match=r'seed_0\.json: expected the record of a run'):
        RecordFolder(tmp_path).file('b', 0, 'x')
