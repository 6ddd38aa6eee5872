from __future__ import annotations

from mmengine.fileio import LocalBackend

from wsss_plugin.engine.hooks.late_removal import LateRemoval


def test_what_was_written_again_stays(tmp_path):
    paths = [str(tmp_path / name) for name in ('old.pth', 'again.pth')]
    removal = LateRemoval(LocalBackend())
    for path in paths:
        (tmp_path / path).write_text('weights')
        removal.remove(path)
    assert {path.name for path in tmp_path.iterdir()} == {'old.pth', 'again.pth'}
    removal.remove_now(except_for=[paths[1], None])
    assert [path.name for path in tmp_path.iterdir()] == ['again.pth']
    removal.remove_now()
    assert [path.name for path in tmp_path.iterdir()] == ['again.pth']


def test_a_checkpoint_may_be_a_folder(tmp_path):
    (tmp_path / 'iter_1').mkdir()
    (tmp_path / 'iter_1' / 'shard.pth').write_text('weights')
    LateRemoval(LocalBackend()).remove_if_there('iter_1', str(tmp_path))
    assert list(tmp_path.iterdir()) == []
