import pytest
from mmengine.config import Config

from wsss_plugin.engine.ablation import RunRecord, content_key, plan_rows

_METRIC = 'test_evaluator = [dict(type="IoUMetric"), dict(type="WSSSMetric")]\n'
_BASE = dict(model=dict(type='A'), train_cfg=dict(max_iters=7))


def test_variables_that_nothing_reads_do_not_count():
    assert content_key(Config(_BASE)) == content_key(Config(dict(_BASE, width=64)))


@pytest.mark.parametrize('name', ['optim_wrapper', 'custom_hooks', 'tta_pipeline', 'randomness'])
def test_what_training_and_test_read_counts(name):
    assert content_key(Config(_BASE)) != content_key(Config({**_BASE, name: 1}))


def test_configs_of_equal_content_share_their_runs(tmp_path):
    texts = {
        'first': 'model = dict(type="EncoderDecoder", decode_head=dict(type="B"))',
        'second': 'model = dict(type="EncoderDecoder", decode_head=dict(type="B"))  # the same',
        'third': 'model = dict(type="WeakSegmentor")',
    }
    for name, text in texts.items():
        (tmp_path / f'{name}.py').write_text(text + '\ntrain_cfg = dict(max_iters=7)\n' + _METRIC)
    configs = [tmp_path / f'{name}.py' for name in texts]
    first, second, third = plan_rows(configs, [0, 1], tmp_path, {}, multi_scale=True)
    assert [row.name for row in (first, second, third)] == list(texts)
    assert first.runs == second.runs != third.runs
    assert [run.config.randomness.seed for run in first.runs] == [0, 1]
    # A CAM has no logits for several scales and a CRF.
    assert first.runs[0].tests == ('metrics', 'multi_scale')
    assert third.runs[0].tests == ('metrics',)


def test_a_folder_of_equal_content_is_found_under_another_name(tmp_path):
    config = tmp_path / 'renamed.py'
    _write(config)
    (row,) = plan_rows([config], [0], tmp_path / 'work', {})
    present = row.runs[0].folder.parent
    former = present.with_name(present.name.replace('renamed', 'former'))
    former.mkdir(parents=True)
    (row,) = plan_rows([config], [0], tmp_path / 'work', {})
    assert row.runs[0].folder == former / 'seed_0'


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path):
    texts = {'one/shapes': 'A', 'two/shapes': 'B', 'two/other': 'C'}
    configs = [
        _write(tmp_path / f'{name}.py', f'model = dict(type="WeakSegmentor", a="{text}")')
        for name, text in texts.items()
    ]
    rows = plan_rows(configs, [0], tmp_path / 'work', {})
    assert [row.name for row in rows] == ['one/shapes', 'two/shapes', 'other']


def _write(path, text='model = dict(type="WeakSegmentor")'):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{text}\ntrain_cfg = dict(max_iters=7)\n{_METRIC}')
    return path


def _files(configs, tmp_path, seeds=(0,), options=None):
    rows = plan_rows(configs, seeds, tmp_path / 'work', options or {}, records=tmp_path / 'kept')
    return [[run.record_file for run in row.runs] for row in rows]


def test_records_lie_under_config_and_seed(tmp_path):
    config = _write(tmp_path / 'configs' / 'toys' / 'toy.py')
    folder = tmp_path / 'kept' / 'toys' / 'toy'
    expected = [folder / 'seed_0.json', folder / 'seed_3.json']
    assert _files([config], tmp_path, (0, 3)) == [expected]
    _write(config, 'model = dict(type="WeakSegmentor", other=1)')
    assert _files([config], tmp_path, (0, 3)) == [expected]
    (row,) = plan_rows([config], [0], tmp_path / 'work', {})
    assert row.runs[0].record_file is None


def test_a_config_elsewhere_has_its_own_name(tmp_path):
    config = _write(tmp_path / 'mine' / 'toy.py')
    assert _files([config], tmp_path) == [[tmp_path / 'kept' / 'toy' / 'seed_0.json']]
    other = _write(tmp_path / 'yours' / 'toy.py', 'model = dict(type="WeakSegmentor", other=1)')
    with pytest.raises(ValueError, match=r"different names.*'toy'"):
        _files([config, other], tmp_path)


def test_rows_of_files_with_one_name_are_told_apart_by_their_folders(tmp_path):
    texts = [f'model = dict(type="WeakSegmentor", other={number})' for number in range(3)]
    names = ('first/toy', 'second/toy', 'second/other')
    configs = [
        _write(tmp_path / 'configs' / f'{name}.py', text)
        for name, text in zip(names, texts, strict=True)
    ]
    rows = plan_rows(configs, [0], tmp_path / 'work', {})
    assert [row.name for row in rows] == ['first/toy', 'second/toy', 'other']
    assert {row.runs[0].folder.parent.parent for row in rows} == {tmp_path / 'work'}


def test_options_have_records_of_their_own(tmp_path):
    config = _write(tmp_path / 'toy.py')
    plain, three, four = (
        _files([config], tmp_path, options=options)[0][0].parent.name
        for options in ({}, {'train_cfg.max_iters': 3}, {'train_cfg.max_iters': 4})
    )
    assert plain == 'toy'
    assert len({plain, three, four}) == 3


def test_a_record_of_equal_content_is_found_under_another_name(tmp_path):
    config = _write(tmp_path / 'configs' / 'former.py')
    (row,) = plan_rows([config], [0], tmp_path / 'work', {}, records=tmp_path / 'kept')
    run = row.runs[0]
    RunRecord(tests={'metrics': {'mIoU': 60.0}}, digest=run.digest).write(run.record_file)
    renamed = config.rename(config.with_name('renamed.py'))
    assert _files([renamed], tmp_path) == [[run.record_file]]
    # Of one's own name, figures of this content come first.
    own = tmp_path / 'kept' / 'renamed' / 'seed_0.json'
    RunRecord(tests={'metrics': {'mIoU': 60.0}}, digest='other').write(own)
    assert _files([renamed], tmp_path) == [[run.record_file]]
    RunRecord(tests={'metrics': {'mIoU': 60.0}}, digest=run.digest).write(own)
    assert _files([renamed], tmp_path) == [[own]]


@pytest.mark.parametrize('evaluator', ['', 'test_evaluator = [dict(type="IoUMetric")]'])
def test_a_config_without_the_metric_is_refused_before_anything_is_trained(tmp_path, evaluator):
    config = tmp_path / 'other.py'
    config.write_text(f'model = dict(type="WeakSegmentor")\n{evaluator}')
    with pytest.raises(KeyError, match=r'other\.py: expected a WSSSMetric in test_evaluator'):
        plan_rows([config], [0], tmp_path / 'work', {})


def test_keys_of_stored_results_stay():
    """Runs are found by them."""
    assert content_key(Config(_BASE)) == '8e784327'
