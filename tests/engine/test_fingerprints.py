from __future__ import annotations

from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from wsss_plugin.engine.ablation import RunRecord
from wsss_plugin.engine.fingerprints import (
    config_fingerprint,
    content_key,
    file_fingerprint,
    folder_fingerprint,
    settings_fingerprint,
    weights_fingerprint,
)

ROOT = Path(__file__).parents[2]
RECORDS = ROOT / 'docs' / 'results' / 'runs'
NAMES = sorted({str(path.parent.relative_to(RECORDS)) for path in RECORDS.rglob('seed_*.json')})


@pytest.mark.parametrize('name', NAMES)
def test_digests_of_stored_records_stay(name):
    """A config that is changed on purpose is left out here, and its records are shown as old."""
    key = content_key(Config.fromfile(ROOT / 'configs' / f'{name}.py'))
    for path in (RECORDS / name).glob('seed_*.json'):
        assert RunRecord.read(path).is_of(key), path


def test_values_of_a_config():
    assert config_fingerprint(dict(a=1)) != config_fingerprint(dict(a=2))
    # Classes of new-style configs have the same text in every process.
    assert config_fingerprint(dict(type=dict)) == config_fingerprint(dict(type='builtins.dict'))
    assert config_fingerprint(dict(b=dict(init_cfg=1))) == config_fingerprint(dict(b={}))


def test_a_large_file_is_read_in_blocks(tmp_path):
    (tmp_path / 'a').write_bytes(b'a' * (2**20 + 1))
    (tmp_path / 'b').write_bytes(b'a' * 2**20)
    assert file_fingerprint(tmp_path / 'a') != file_fingerprint(tmp_path / 'b')
    (tmp_path / 'c').write_bytes(b'abc')
    # SHA-256 of 'abc', by FIPS 180-2.
    assert file_fingerprint(tmp_path / 'c').startswith('ba7816bf8f01cfea414140de5dae2223')


def test_names_and_bytes_of_a_folder(tmp_path):
    def write(folder, **files):
        for name, text in files.items():
            path = tmp_path / folder / name.replace('_', '/')
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return folder_fingerprint(tmp_path / folder, without=('note',))

    first = write('first', a='1', below_b='2')
    assert write('second', below_b='2', a='1', note='x') == first
    (tmp_path / 'second' / '.a.12.part').touch()
    assert write('second') == first
    assert write('third', b='1', below_b='2') != first
    assert write('second', a='2') != first


def _dataset(**values):
    return dict(train_dataloader=dict(dataset=dict(type='A', **values)))


def test_places_do_not_count_and_lists_count_by_what_they_hold(tmp_path):
    for folder, text in (('here', 'a\nb'), ('there', 'a\nb'), ('longer', 'a\nb\nc')):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / 'train.txt').write_text(text)

    def of(folder):
        config = _dataset(data_root=str(tmp_path / folder), ann_file='train.txt')
        return settings_fingerprint(config, ['train_dataloader'])

    assert of('here') == of('there') != of('longer')
    # An absent list counts by its name.
    names = [_dataset(data_root=root, ann_file=name) for root in 'ab' for name in ('c', 'd')]
    found = [settings_fingerprint(config, ['train_dataloader']) for config in names]
    assert found[0] == found[2] != found[1] == found[3]


def test_the_manifest_of_a_label_folder_counts(tmp_path):
    for folder, text in (('here', '{}'), ('there', '{}'), ('other', '{"a": 1}')):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / 'manifest.json').write_text(text)
    here, there, other = (
        settings_fingerprint(_dataset(label_dir=str(tmp_path / name)), ['train_dataloader'])
        for name in ('here', 'there', 'other')
    )
    assert here == there != other


@pytest.mark.parametrize(
    ('first', 'second', 'same'),
    [
        (dict(model=dict(pretrained='a/r38.pth')), dict(model=dict(pretrained='b/r38.pth')), True),
        (dict(model=dict(pretrained='a/r38.pth')), dict(model=dict(pretrained='a/r50.pth')), False),
        (dict(load_from='a/x.pth'), dict(load_from='/b/x.pth'), True),
        (dict(load_from='https://a/x.pth'), dict(load_from='https://b/x.pth'), False),
        (dict(work_dir='a'), dict(work_dir='b'), True),
        (dict(model=dict(width=1)), dict(model=dict(width=2)), False),
        (dict(model=dict(parts=['/a/b'])), dict(model=dict(parts=['/c/b'])), True),
        (dict(unread=1), dict(unread=2), True),
        (dict(default_hooks=dict(logger=1)), dict(default_hooks=dict(logger=2)), True),
        (dict(default_hooks=dict(sampler_seed=1)), dict(default_hooks=dict(sampler_seed=2)), False),
        (dict(model=None), {}, True),
    ],
)
def test_what_counts_in_the_settings_of_a_stage(first, second, same):
    keys = ['model', 'load_from', 'work_dir', 'default_hooks']
    found = [settings_fingerprint(Config(one), keys) for one in (first, second)]
    assert (found[0] == found[1]) == same


def _saved(path, weights, **others):
    torch.save({'state_dict': weights, **others}, path)
    return weights_fingerprint(path)


def test_weights_count_whenever_they_were_saved(tmp_path):
    weights = {
        'a': torch.arange(6.0).reshape(2, 3),
        'b': torch.tensor(3),
        'c': torch.ones(2, dtype=torch.bfloat16),
        'd': torch.zeros(0),
    }
    first = _saved(tmp_path / 'a.pth', weights, meta={'time': 'noon'}, optimizer={'x': 1})
    wrapped = {f'module.{name}': weights[name] for name in reversed(weights)}
    assert _saved(tmp_path / 'b.pth', wrapped, meta={'time': 'night'}) == first
    assert _saved(tmp_path / 'c.pth', {**weights, 'a': weights['a'].T.contiguous()}) != first
    assert _saved(tmp_path / 'd.pth', {**weights, 'a': weights['a'].reshape(3, 2)}) != first
    assert _saved(tmp_path / 'e.pth', {**weights, 'a': weights['a'].int()}) != first
    # The same bytes in another order of memory.
    assert _saved(tmp_path / 'f.pth', {**weights, 'a': weights['a'].T.contiguous().T}) == first


def test_what_holds_no_weights(tmp_path):
    with pytest.raises(ValueError, match='expected a tensor as meta'):
        weights_fingerprint(_file(tmp_path / 'a.pth', {'meta': {'a': 1}}))
    with pytest.raises(ValueError, match='expected a checkpoint'):
        weights_fingerprint(_file(tmp_path / 'b.pth', [1, 2]))
    with pytest.raises(FileNotFoundError):
        weights_fingerprint(tmp_path / 'none.pth')


def _file(path, content):
    torch.save(content, path)
    return path
