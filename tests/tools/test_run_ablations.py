import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import wsss_plugin
from wsss_plugin.engine.ablation import RunExecutor, plan_rows

_CONFIG = """
# A row.
model = dict(type='EncoderDecoder', decode_head=dict(type='B', width={width}))
train_cfg = dict(max_iters=7)
train_dataloader = dict(batch_size=2)
test_evaluator = dict(type='WSSSMetric', cam_threshold=0.4)
"""
_CAM = """
_base_ = './full.py'
model = dict(_delete_=True, type='WeakSegmentor')
"""
_METRICS = {
    'mIoU': 60.0,
    'over_activation': 20.0,
    'false_negative': None,  # what JSON has for NaN
    'cam/mIoU': 50.0,
    'cam/best_mIoU': 55.0,
    'cam/best_threshold': 0.3,
    'group/camouflage/mIoU': 40.0,
    'group/camouflage/cam/mIoU': 30.0,
}


@pytest.fixture
def configs(tmp_path):
    files = {
        'full': _CONFIG.format(width=1),
        'same': "_base_ = './full.py'\n",
        'other': _CONFIG.format(width=2),
        'cam': _CAM,
    }
    for name, text in files.items():
        (tmp_path / f'{name}.py').write_text(text)
    return [tmp_path / f'{name}.py' for name in files]


@pytest.fixture
def calls(monkeypatch):
    """Replaces the processes: seed s scores s above what _METRICS says."""
    made = []

    def call(executor, run, script, arguments):
        made.append((run.name, script, tuple(arguments), executor.threads))
        seed = int(run.folder.name.rsplit('_', 1)[1])
        if script == 'train.py':
            run.checkpoint.write_text('')
            (run.folder / 'last_checkpoint').write_text(str(run.checkpoint))
            return
        metrics = {**_METRICS, 'mIoU': _METRICS['mIoU'] + seed}
        if '--crf' in arguments:
            metrics = {'mIoU': 70.0 + seed, 'crf/mIoU': 80.0 + seed}
        Path(arguments[arguments.index('--out') + 1]).write_text(json.dumps(metrics))
        (by_class,) = [text for text in arguments if text.startswith('test_evaluator.out_file=')]
        classes = {
            'background': {'segmentation': {'over_activation': 1.0}},
            'cat': {'segmentation': {'over_activation': 25.0 + seed}},
            'absent': {'segmentation': {'over_activation': None}},
        }
        Path(by_class.partition('=')[2]).write_text(json.dumps({'classes': classes}))

    monkeypatch.setattr(RunExecutor, 'call', call)
    return made


def _arguments(configs, tmp_path, *more):
    folders = ['--work-dir', str(tmp_path / 'work'), '--out', str(tmp_path / 'docs' / 'toy.md')]
    return [*map(str, configs), '--seeds', '0', '2', '--reference', 'full', *folders, *more]


def test_runs_once_per_content_and_seed_and_tabulates(tool, configs, calls, tmp_path):
    assert tool('run_ablations').main(_arguments(configs, tmp_path, '--threads', '1')) == 0
    names = {f'{name} seed {seed}' for name in ('full', 'other', 'cam') for seed in (0, 2)}
    assert {name for name, *_ in calls} == names
    assert len(calls) == 2 * len(names)
    text = (tmp_path / 'docs' / 'toy.md').read_text()
    lines = [line for line in text.splitlines() if line.startswith('|')]
    assert '| full | 2 | 61.0 ± 1.4 | 1.000 | 20.0 ± 0.0 |  |  |' in lines
    assert '| same (= full) | 2 | 61.0 ± 1.4 | 1.000 | 20.0 ± 0.0 |  |  |' in lines
    assert any(line.startswith('| cam † | 2 | 61.0') for line in lines)
    assert '| full | 50.0 ± 0.0 | 55.0 ± 0.0 | 0.30 |' in text
    assert 'CAM at 0.4' in text
    assert '| config | camouflage |' in lines
    assert 'finished: 6 of 6 runs' in text
    assert '7 iterations x 2 images' in text
    assert 'torch' in text
    assert '--seeds 0 2' in text


@pytest.mark.usefixtures('calls')
def test_over_activation_by_foreground_class(tool, configs, tmp_path):
    tool('run_ablations').main(_arguments(configs[:1], tmp_path))
    lines = (tmp_path / 'docs' / 'toy.md').read_text().splitlines()
    title = lines.index('## Over-activation of the segmentation by class')
    assert lines[title + 2] == '| config | cat |'
    assert lines[title + 4] == '| full | 26.0 ± 1.4 |'


def test_multi_scale_tests_rows_with_a_decoder_twice(tool, configs, calls, tmp_path):
    main, arguments = tool('run_ablations').main, _arguments([configs[0], configs[3]], tmp_path)
    main(arguments)
    calls.clear()
    main([*arguments, '--multi-scale'])
    # What was trained and tested before is not repeated, and a CAM has no logits for a CRF.
    assert [(name, script) for name, script, *_ in calls] == [
        ('full seed 0', 'test.py'),
        ('full seed 2', 'test.py'),
    ]
    assert all({'--tta', '--crf'} <= set(arguments) for _, _, arguments, _ in calls)
    text = (tmp_path / 'docs' / 'toy.md').read_text()
    assert '| multi-scale | multi-scale + CRF | min |' in text
    assert '| 71.0 ± 1.4 | 81.0 ± 1.4 |  |' in text
    assert '--multi-scale' in text


def test_rows_with_a_budget_of_their_own_are_named(tool, configs, tmp_path):
    configs[2].write_text(_CONFIG.format(width=2).replace('max_iters=7', 'max_iters=9'))
    tool('run_ablations').main(_arguments(configs, tmp_path, '--report-only'))
    text = (tmp_path / 'docs' / 'toy.md').read_text()
    assert 'Budget of a run: 7 iterations x 2 images; of other: 9 iterations x 2 images.' in text


def test_seed_and_config_reach_the_run(tool, configs, calls, tmp_path):
    tool('run_ablations').main(_arguments(configs[:1], tmp_path, '--threads', '3'))
    for name, _, arguments, threads in calls:
        text = Path(arguments[0]).read_text()
        assert f'seed={name[-1]}' in text.replace(' ', '')
        assert "type='EncoderDecoder'" in text
        assert threads == 3
    train = [arguments for _, script, arguments, _ in calls if script == 'train.py']
    assert train
    assert all('--resume' in arguments for arguments in train)


def test_called_again_does_only_what_is_open(tool, configs, calls, tmp_path):
    main, arguments = tool('run_ablations').main, _arguments(configs, tmp_path)
    main(arguments)
    calls.clear()
    main(arguments)
    assert calls == []
    (metrics,) = (tmp_path / 'work').glob('other-*/seed_2/metrics.json')
    metrics.unlink()
    main(arguments)
    assert [(name, script) for name, script, *_ in calls] == [('other seed 2', 'test.py')]


def test_recorded_runs_are_not_repeated_elsewhere(tool, configs, calls, tmp_path):
    main = tool('run_ablations').main
    records = ['--records', str(tmp_path / 'kept')]
    main([*_arguments(configs, tmp_path), *records])
    text = (tmp_path / 'docs' / 'toy.md').read_text()
    assert f'--records {tmp_path / "kept"}' in text.replace(' \\\n ', '')
    shutil.rmtree(tmp_path / 'work')
    calls.clear()
    main([*_arguments(configs, tmp_path), *records])
    assert calls == []
    assert (tmp_path / 'docs' / 'toy.md').read_text() == text


def test_old_records_are_shown_as_such_and_made_again(tool, configs, calls, tmp_path):
    main, page = tool('run_ablations').main, tmp_path / 'docs' / 'toy.md'
    arguments = [*_arguments(configs[:1], tmp_path), '--records', str(tmp_path / 'kept')]
    main(arguments)
    shutil.rmtree(tmp_path / 'work')
    calls.clear()
    configs[0].write_text(_CONFIG.format(width=3))
    main([*arguments, '--report-only'])
    text = page.read_text()
    assert f'| full (old: version {wsss_plugin.__version__}) | 2 | 61.0 ± 1.4 |' in text
    assert 'finished: 0 of 2 runs' in text
    main(arguments)
    assert len(calls) == 4
    assert '| full | 2 | 61.0 ± 1.4 |' in page.read_text()
    assert len(list((tmp_path / 'kept').rglob('*.json'))) == 2


def _folder_of(configs, tmp_path):
    (row,) = plan_rows(configs[:1], [0], tmp_path / 'work', {})
    run = row.runs[0]
    run.folder.mkdir(parents=True)
    run.checkpoint.write_text('')
    return run


@pytest.mark.parametrize(
    ('last', 'scripts'),
    [
        (None, ['train.py', 'test.py']),
        ('iter_4.pth', ['train.py', 'test.py']),
        ('elsewhere/iter_7.pth\n', ['test.py']),
    ],
)
def test_a_checkpoint_cut_short_is_trained_again(tool, configs, calls, tmp_path, last, scripts):
    """MMEngine notes the name of a checkpoint once it is saved."""
    run = _folder_of(configs, tmp_path)
    if last:
        (run.folder / 'last_checkpoint').write_text(last)
    tool('run_ablations').main([*_arguments(configs[:1], tmp_path), '--seeds', '0'])
    assert [script for _, script, *_ in calls] == scripts


def test_a_checkpoint_that_was_tested_is_whole(tool, configs, calls, tmp_path):
    run = _folder_of(configs, tmp_path)
    run.metrics_file('metrics').write_text(json.dumps(_METRICS))
    run.machine_file.write_text('here')
    main = tool('run_ablations').main
    main([*_arguments(configs[:1], tmp_path), '--seeds', '0'])
    assert calls == []
    main([*_arguments(configs[:1], tmp_path), '--seeds', '0', '--multi-scale'])
    assert [script for _, script, *_ in calls] == ['test.py']


def test_changed_config_is_run_again(tool, configs, calls, tmp_path):
    main, arguments = tool('run_ablations').main, _arguments(configs[:1], tmp_path)
    main(arguments)
    calls.clear()
    configs[0].write_text(_CONFIG.format(width=3))
    main(arguments)
    assert len(calls) == 4
    calls.clear()
    main([*arguments, '--cfg-options', 'train_cfg.max_iters=3'])
    assert len(calls) == 4


def test_report_only_runs_nothing(tool, configs, calls, tmp_path):
    arguments = _arguments(configs, tmp_path, '--report-only')
    assert tool('run_ablations').main(arguments) == 0
    assert calls == []
    assert '| full | 0 |  |  |  |  |  |' in (tmp_path / 'docs' / 'toy.md').read_text()


def test_failed_run_does_not_stop_the_others(tool, configs, calls, tmp_path, monkeypatch, capsys):
    module = tool('run_ablations')
    succeed = RunExecutor.call

    def call(executor, run, *arguments):
        if run.name == 'full seed 0':
            raise RuntimeError('out of memory')
        succeed(executor, run, *arguments)

    monkeypatch.setattr(RunExecutor, 'call', call)
    assert module.main(_arguments(configs, tmp_path)) == 1
    assert 'finished: 5 of 6 runs' in (tmp_path / 'docs' / 'toy.md').read_text()
    printed = capsys.readouterr().out
    assert 'full seed 0: failed: out of memory' in printed
    assert '1 runs failed' in printed
    assert len(calls) == 10


def test_training_images_are_scored_where_they_have_masks(tool, configs, calls, tmp_path):
    (tmp_path / 'SegmentationClass').mkdir()
    dataset = dict(type='VOCTagDataset', data_root=str(tmp_path))
    with configs[0].open('a') as file:
        file.write(f'train_dataloader.update(dataset={dataset})\n')
    tool('run_ablations').main([*_arguments(configs[:1], tmp_path), '--seeds', '0'])
    assert [script for _, script, *_ in calls] == ['train.py', 'test.py', 'test.py']
    assert '--split' in calls[1][2]
    assert '--labels' in calls[2][2]


def test_a_run_whose_training_images_cannot_be_scored_is_kept(
    tool, configs, calls, tmp_path, monkeypatch, capsys
):
    (tmp_path / 'SegmentationClass').mkdir()
    dataset = dict(type='VOCTagDataset', data_root=str(tmp_path))
    with configs[0].open('a') as file:
        file.write(f'train_dataloader.update(dataset={dataset})\n')
    module, succeed = tool('run_ablations'), RunExecutor.call

    def call(executor, run, script, arguments):
        if '--split' in arguments:
            raise RuntimeError('no masks')
        succeed(executor, run, script, arguments)

    monkeypatch.setattr(RunExecutor, 'call', call)
    assert module.main([*_arguments(configs[:1], tmp_path), '--seeds', '0']) == 1
    assert 'failed: no masks' in capsys.readouterr().out
    assert 'finished: 1 of 1 runs' in (tmp_path / 'docs' / 'toy.md').read_text()
    calls.clear()
    module.main([*_arguments(configs[:1], tmp_path), '--seeds', '0'])
    assert calls == []


_SLOW_TRAINING = """
import os, pathlib, time
(pathlib.Path(__file__).parent / f'{os.getpid()}.pid').touch()
time.sleep(120)
"""
_DRIVER = """
import pathlib, runpy, sys
tool = runpy.run_path(sys.argv.pop(1))
tool['main'].__globals__['TOOLS'] = pathlib.Path(__file__).parent
sys.exit(tool['main']())
"""


def test_its_processes_end_with_it(tool, configs, tmp_path):
    """Otherwise a second call would train beside them in the same folders."""
    folder = tmp_path / 'slow'
    folder.mkdir()
    (folder / 'train.py').write_text(_SLOW_TRAINING)
    (folder / 'driver.py').write_text(_DRIVER)
    arguments = [tool('run_ablations').__file__, *_arguments(configs[:1], tmp_path)]
    arguments += ['--seeds', '0', '1', '2', '--jobs', '2']
    process = subprocess.Popen([sys.executable, str(folder / 'driver.py'), *arguments])
    try:
        while len(list(folder.glob('*.pid'))) < 2:
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
        started = [int(path.stem) for path in folder.glob('*.pid')]
        assert len(started) == 2
        for pid in started:
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)
    finally:
        process.kill()
        for path in folder.glob('*.pid'):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(path.stem), signal.SIGKILL)


def test_progress_names_the_iteration(tool, configs, tmp_path):
    module = tool('run_ablations')
    (row,) = plan_rows(configs[:1], [0], tmp_path / 'work', {})
    run = row.runs[0]
    log = run.folder / '20260101_000000' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    log.write_text('{"loss": 1.0, "step": 5}\n{"loss": 1.0, "st')

    class Future:
        def running(self):
            return True

    assert module._running({Future(): run}) == 'full seed 0 at 5/7'


@pytest.mark.parametrize('wrong', [['--jobs', '0'], ['--threads', '0'], ['missing.py']])
def test_command_line_errors(tool, configs, wrong, capsys):
    with pytest.raises(SystemExit):
        tool('run_ablations').parse_args([str(configs[0]), *wrong])
    assert 'expected' in capsys.readouterr().err


def test_results_of_the_repository_are_not_overwritten(tool, configs, tmp_path):
    parse = tool('run_ablations').parse_args
    assert parse([str(configs[0])]).out == Path('work_dirs/ablations/table.md')
    args = parse([str(configs[0]), '--work-dir', str(tmp_path / 'my runs')])
    assert args.out == tmp_path / 'my runs' / 'table.md'


def test_command_names_the_folder_of_the_runs(tool, configs):
    module = tool('run_ablations')
    args = module.parse_args([str(configs[0]), '--work-dir', 'my runs', '--out', 'table.md'])
    assert "--work-dir 'my runs' --out table.md" in module.command_line(args)
    assert '--work-dir' not in module.command_line(module.parse_args([str(configs[0])]))


def test_command_of_a_whole_folder_is_a_pattern(tool, configs):
    module = tool('run_ablations')
    folder = configs[0].parent
    ordered = sorted(map(str, configs))
    args = module.parse_args([*ordered, '--seeds', '1', '--threads', '1'])
    expected = f'python tools/run_ablations.py {folder}/*.py --seeds 1 --jobs 1 --threads 1'
    assert module.command_line(args).startswith(expected)
    args = module.parse_args([str(configs[1])])
    assert f' {configs[1]} ' in module.command_line(args)


def test_command_keeps_the_order_of_the_rows(tool, configs, tmp_path):
    module = tool('run_ablations')
    best = tmp_path / 'more' / 'best.py'
    best.parent.mkdir()
    for path in (best, best.with_name('other.py')):
        path.write_text(configs[0].read_text())
    given = [str(path) for path in (configs[1], best, configs[0])]
    assert f' {" ".join(given)} --seeds' in module.command_line(module.parse_args(given))
    given = [str(best), *sorted(map(str, configs))]
    command = module.command_line(module.parse_args(given))
    assert f' {best} {configs[0].parent}/*.py --seeds' in command
