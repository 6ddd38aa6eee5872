import pytest

from wsss_plugin.engine.ablation import RunExecutor


def test_process_that_fails_is_named_with_its_output(run, tmp_path):
    (tmp_path / 'broken.py').write_text('raise SystemExit("no such thing")')
    executor = RunExecutor(tmp_path, threads=1)
    with pytest.raises(RuntimeError, match=r'broken.py of toy seed 0 failed(.|\n)*no such thing'):
        executor.call(run, 'broken.py', [])


def test_arguments_and_threads_reach_the_process(run, tmp_path):
    text = 'import os, sys\nprint(os.environ["OMP_NUM_THREADS"], *sys.argv[1:])\n'
    (tmp_path / 'echo.py').write_text(text)
    executor = RunExecutor(tmp_path, threads=3)
    executor.call(run, 'echo.py', ['--first'])
    executor.call(run, 'echo.py', ['--second'])
    assert (run.folder / 'echo.py.log').read_text() == '3 --first\n3 --second\n'


def test_nothing_starts_after_the_stop(run, tmp_path):
    executor = RunExecutor(tmp_path, threads=1)
    executor.stop()
    with pytest.raises(RuntimeError, match='were stopped'):
        executor.call(run, 'never.py', [])
