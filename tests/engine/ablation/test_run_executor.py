import dataclasses
import shutil

import pytest

from wsss_plugin.engine.ablation import RunExecutor, run_executor


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


_TRAIN = """
import pathlib, sys
folder = pathlib.Path(sys.argv[sys.argv.index('--work-dir') + 1])
(folder / 'iter_7.pth').touch()
(folder / 'last_checkpoint').write_text('iter_7.pth')
"""
_TEST = """
import pathlib, sys
pathlib.Path(sys.argv[sys.argv.index('--out') + 1]).write_text('{}')
(pathlib.Path(__file__).parent / 'arguments.txt').write_text(' '.join(sys.argv))
"""


@pytest.fixture
def executor(tmp_path):
    (tmp_path / 'train.py').write_text(_TRAIN)
    (tmp_path / 'test.py').write_text(_TEST)
    return RunExecutor(tmp_path, threads=1)


def test_the_machine_is_that_of_the_training(run, executor, monkeypatch):
    def move_to(machine):
        monkeypatch.setattr(run_executor, 'describe_machine', lambda _: machine)

    move_to('here')
    executor.execute(run)
    assert run.machine_file.read_text() == 'here'
    run.metrics_file('metrics').unlink()
    move_to('elsewhere')
    executor.execute(run)
    assert run.done
    assert run.machine_file.read_text() == 'here'
    run.metrics_file('metrics').unlink()
    run.checkpoint.unlink()
    executor.execute(run)
    assert run.machine_file.read_text() == 'elsewhere'


def test_the_metric_may_be_one_of_several(run, executor, tmp_path):
    run.config.test_evaluator = [dict(type='IoUMetric'), dict(type='WSSSMetric')]
    executor.execute(run)
    arguments = (tmp_path / 'arguments.txt').read_text().split()
    assert arguments[-1] == f'test_evaluator.1.out_file={run.classes_file("metrics")}'


def test_what_is_finished_is_recorded(run, executor):
    run = dataclasses.replace(run, record_file=run.folder.parent / 'kept' / 'seed_0.json')
    executor.execute(run)
    assert run.record_file.is_file()
    shutil.rmtree(run.folder)
    assert run.done


def test_a_record_names_the_program_that_trained_it(run, executor, monkeypatch):
    def change_to(version):
        monkeypatch.setattr(
            run_executor, 'describe_program', lambda: dict(version=version, commit='abc')
        )

    change_to('1.0')
    executor.execute(run)
    assert (run.result.version, run.result.commit) == ('1.0', 'abc')
    # A later version only tests it.
    run.metrics_file('metrics').unlink()
    change_to('2.0')
    executor.execute(run)
    assert run.result.version == '1.0'
