from __future__ import annotations

import json

import pytest
from mmengine.config import Config

from wsss_plugin.engine.stages import stage_runner
from wsss_plugin.errors import DataError


def _states(runner):
    return {one.stage.name: one.state for one in runner.states()}


def _text(tmp_path, name='b'):
    return (tmp_path / 'work' / name / 'out.txt').read_text()


def test_what_is_done_is_not_run_again(chain, tmp_path, capsys):
    chain(a='1', b='2').run('ab')
    assert _text(tmp_path) == '21'
    # Beside its record a stage leaves the config that its tool was given.
    assert Config.fromfile(tmp_path / 'work' / 'records' / 'b.py').words == '2'
    time = (tmp_path / 'work' / 'a' / 'out.txt').stat().st_mtime_ns
    capsys.readouterr()
    runner = chain(a='1', b='2')
    runner.run('ab')
    assert capsys.readouterr().out == 'run_stages: a is done\nrun_stages: b is done\n'
    assert (tmp_path / 'work' / 'a' / 'out.txt').stat().st_mtime_ns == time
    assert _states(runner) == dict(a='done', b='done')


def test_other_settings_run_a_stage_and_what_reads_it_anew(chain, tmp_path, capsys):
    chain(a='1', b='2', c='3').run('abc')
    runner = chain(a='0', b='2', c='3')
    assert [(one.state, one.why) for one in runner.states()] == [
        ('changed', 'settings'),
        ('waiting', 'for a'),
        ('waiting', 'for b'),
    ]
    capsys.readouterr()
    runner.run('abc')
    assert _text(tmp_path, 'c') == '320'
    assert 'run_stages: b (input text)\n' in capsys.readouterr().out
    # What was made before is kept.
    assert (tmp_path / 'work' / 'c.old-1' / 'out.txt').read_text() == '321'


def test_the_same_output_runs_nothing_behind_it(chain, tmp_path, capsys):
    chain(a='1', b='2').run('ab')
    capsys.readouterr()
    chain(a='1', b='2').run('ab', redo=['a'])
    said = capsys.readouterr().out
    assert 'run_stages: a is done, in ' in said
    assert said.endswith('run_stages: b is done\n')
    assert (tmp_path / 'work' / 'a.old-1').is_dir()


def test_an_output_that_was_changed_is_made_anew(chain, tmp_path):
    chain(a='1', b='2').run('ab')
    (tmp_path / 'work' / 'b' / 'out.txt').write_text('by hand')
    runner = chain(a='1', b='2')
    assert _states(runner) == dict(a='done', b='damaged')
    runner.run('ab')
    assert _text(tmp_path) == '21'
    assert (tmp_path / 'work' / 'b.old-1' / 'out.txt').read_text() == 'by hand'
    (tmp_path / 'work' / 'b' / 'out.txt').unlink()
    state = chain(a='1', b='2').states()[1]
    assert (state.state, state.why) == ('damaged', 'the text')


def test_a_tool_that_fails_is_named_and_the_next_call_goes_on(chain, tmp_path, capsys):
    runner = chain(a='twice')
    with pytest.raises(RuntimeError, match=r'stages\.a\.toy: expected tools/toy\.py .* received 4'):
        runner.run('a')
    (state,) = runner.states()
    assert (state.state, state.why) == ('begun', 'half')
    capsys.readouterr()
    runner.run('a')
    assert 'run_stages: a goes on (half)' in capsys.readouterr().out
    assert (tmp_path / 'work' / 'a' / 'begun.txt').exists()
    assert not (tmp_path / 'work' / 'a.old-1').exists()


def test_an_output_that_lacks_something(chain):
    with pytest.raises(DataError, match=r'stages\.a\.toy: expected a complete output.* the text'):
        chain(a='nothing').run('a')


@pytest.mark.parametrize(
    ('texts', 'found'), [(dict(a='fail'), 'begun: half'), (dict(a='2'), 'changed: settings')]
)
def test_an_input_that_is_not_chosen_and_not_done_is_refused(chain, texts, found):
    runner = chain(a='1', b='2')
    runner.run('a')
    if texts['a'] == 'fail':
        with pytest.raises(RuntimeError):
            chain(**texts).run('a')
    with pytest.raises(DataError, match=f'its input a to be done .* received {found}; .* --from a'):
        chain(**texts, b='2').run('b')


def test_a_kill_after_the_output_and_before_the_record(chain, tmp_path, monkeypatch):
    chain(a='1').run('a')
    file = tmp_path / 'work' / 'records' / 'a.json'
    record = json.loads(file.read_text())
    file.write_text(json.dumps({**record, 'output': ''}))
    monkeypatch.setattr(stage_runner, 'run_tied', None)
    chain(a='1').run('a')
    assert json.loads(file.read_text()) == record
    assert record['run'] == 'a run'


def test_a_folder_that_nobody_knows_is_kept(chain, tmp_path):
    folder = tmp_path / 'work' / 'a'
    folder.mkdir(parents=True)
    (folder / 'out.txt').write_text('mine')
    chain(a='1').run('a')
    assert _text(tmp_path, 'a') == '1'
    assert (tmp_path / 'work' / 'a.old-1' / 'out.txt').read_text() == 'mine'


def test_a_stage_names_all_programs_and_another_one_runs_nothing(chain, monkeypatch):
    def become(version):
        program = dict(version=version, commit='abc')
        monkeypatch.setattr(stage_runner, 'describe_program', lambda: program)

    become('1.0')
    with pytest.raises(RuntimeError):
        chain(a='twice').run('a')
    become('2.0')
    chain(a='twice').run('a')
    become('3.0')
    runner = chain(a='twice')
    (state,) = runner.states()
    assert state.state == 'done'
    assert state.record.programs == ('1.0 abc', '2.0 abc')


def test_a_record_of_other_content_is_named(chain, tmp_path):
    file = tmp_path / 'work' / 'records' / 'a.json'
    file.parent.mkdir(parents=True)
    file.write_text('{"a": 1}')
    with pytest.raises(DataError, match=r'a\.json: expected the record of a stage'):
        chain(a='1').states()
