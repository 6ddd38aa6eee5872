import importlib
import importlib.util
import pickle
import sys
import types
from collections import OrderedDict

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader
from mmseg.models import SegDataPreProcessor

from wsss_plugin import compat, engine  # noqa: F401  (engine sets the loader)


class _Code:
    """Stands for code hidden in a checkpoint."""

    def __reduce__(self):
        return (exec, ("import os; os.environ['WSSS_TEST_RAN'] = '1'",))


def test_stand_in_imports_and_says_what_is_missing(monkeypatch):
    monkeypatch.delitem(sys.modules, 'mmcv._ext', raising=False)
    monkeypatch.setattr(importlib.util, 'find_spec', lambda _: None)
    assert compat.provide_compiled_extension()
    extension = sys.modules['mmcv._ext']
    assert extension.__spec__ is not None
    with pytest.raises(RuntimeError, match=r'mmcv\.ops\.nms'):
        extension.nms(1, boxes=2)
    with pytest.raises(AttributeError):
        extension.__wrapped__  # noqa: B018
    assert not compat.provide_compiled_extension()


def test_mmcv_ops_imports():
    assert importlib.import_module('mmcv.ops').point_sample


def test_configs_of_the_package_are_found_by_its_name(tmp_path):
    compat.name_configs()  # a second time changes nothing
    path = tmp_path / 'one.py'
    path.write_text("_base_ = 'wsss_plugin::toco/voc.py'\nmax_keep = 3\n")
    config = Config.fromfile(path)
    assert config.model.type == 'WeakSegmentor'
    assert '_scope_' not in str(config)
    path.write_text("_base_ = 'wsss_plugin::toco/none.py'\n")
    with pytest.raises(FileNotFoundError, match=r'toco/none\.py'):
        Config.fromfile(path)
    path.write_text("_base_ = 'nowhere::toco/none.py'\n")
    with pytest.raises(AssertionError, match='nowhere'):
        Config.fromfile(path)


def test_complete_toolbox_is_accepted():
    compat.require_toolbox()


def test_missing_toolbox_names_both_extras(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, 'find_spec', lambda name: None if name == 'mmseg' else found(name)
    )
    with pytest.raises(ImportError, match='mmseg cannot') as caught:
        compat.require_toolbox()
    assert 'wsss_plugin[openmmlab]' in str(caught.value)
    assert 'wsss_plugin[onedl]' in str(caught.value)


def test_two_toolboxes_in_one_environment_are_reported(monkeypatch):
    monkeypatch.setattr(importlib.metadata, 'version', lambda _: '1')
    with pytest.warns(RuntimeWarning, match='overwrite each other'):
        compat.require_toolbox()


def test_torchvision_of_another_torch_is_explained(monkeypatch):
    def fail(_):
        raise RuntimeError('operator torchvision::nms does not exist')

    monkeypatch.setattr(compat.importlib, 'import_module', fail)
    with pytest.raises(ImportError, match=r'torchvision==0\.23\.0'):
        compat.require_toolbox()

    def fail_otherwise(_):
        raise RuntimeError('out of memory')

    monkeypatch.setattr(compat.importlib, 'import_module', fail_otherwise)
    with pytest.raises(RuntimeError, match='out of memory'):
        compat.require_toolbox()


def test_plain_checkpoint_loads(tmp_path):
    path = tmp_path / 'weights.pth'
    torch.save({'state_dict': OrderedDict(a=torch.ones(2)), 'meta': {'iter': 3}}, path)
    assert CheckpointLoader.load_checkpoint(str(path))['meta'] == {'iter': 3}


def test_code_in_a_checkpoint_does_not_run_unless_trusted(tmp_path, monkeypatch):
    path = tmp_path / 'code.pth'
    torch.save({'state_dict': {}, 'meta': _Code()}, path)
    monkeypatch.delenv('WSSS_TEST_RAN', raising=False)
    monkeypatch.delenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', raising=False)
    with pytest.raises(RuntimeError, match=r'code\.pth.*SafeCheckpointHook'):
        CheckpointLoader.load_checkpoint(str(path))
    assert 'WSSS_TEST_RAN' not in compat.os.environ
    monkeypatch.setenv('TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD', '1')
    CheckpointLoader.load_checkpoint(str(path))
    assert compat.os.environ.pop('WSSS_TEST_RAN') == '1'


def test_missing_and_damaged_checkpoints_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'nowhere\.pth'):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'nowhere.pth'))
    path = tmp_path / 'damaged.pth'
    torch.save({'weight': torch.ones(99)}, path)
    whole = path.read_bytes()
    torch.save({'weight': torch.ones(99_999)}, path)
    begun = path.read_bytes()[:10_000]
    for content in (b'', pickle.dumps({'a': 1})[:-3], whole[: len(whole) // 2], begun):
        path.write_bytes(content)
        with pytest.raises(RuntimeError, match=r'damaged\.pth'):
            CheckpointLoader.load_checkpoint(str(path))


class _Batches:
    """The iterator of a toolbox that cannot skip."""

    def __init__(self, loader):
        self.batches = iter(loader)

    def __iter__(self):
        return self.batches


class _SkippingBatches(_Batches):
    """The iterator of a toolbox that can."""

    def skip_iter(self, num_iters):
        raise NotImplementedError


class _SkippingSampler(list):
    def skip(self, num_samples):
        del self[:num_samples]


def _resumed_loop(batches, sampler, **batching):
    loader = torch.utils.data.DataLoader(range(100, 116), **{'sampler': sampler, **batching})
    return types.SimpleNamespace(dataloader=loader, dataloader_iterator=batches(loader), iter=3)


def test_trained_data_are_skipped():
    loop = _resumed_loop(_Batches, _SkippingSampler(range(16)), batch_size=4)
    assert compat.skip_trained_data(loop)
    batches = list(loop.dataloader_iterator)
    assert batches[:3] == [None] * 3
    assert [batch.tolist() for batch in batches[3:]] == [[112, 113, 114, 115]]


def test_data_are_left_to_a_loop_that_skips_and_to_samplers_that_cannot():
    sampler = _SkippingSampler(range(16))
    by_batches = torch.utils.data.BatchSampler(sampler, 4, drop_last=False)
    for loop in (
        _resumed_loop(_SkippingBatches, sampler, batch_size=4),
        _resumed_loop(_Batches, list(range(16)), batch_size=4),
        _resumed_loop(_Batches, None, batch_sampler=by_batches),
    ):
        before = loop.dataloader_iterator
        assert not compat.skip_trained_data(loop)
        assert loop.dataloader_iterator is before
    assert len(sampler) == 16


def test_distribution_is_started_only_where_needed(monkeypatch):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
    for name in ('RANK', 'WORLD_SIZE', 'MASTER_ADDR'):
        monkeypatch.delenv(name, raising=False)
    assert compat.init_distributed('none') == 'none'
    with pytest.raises(ValueError, match="'slurm'"):
        compat.init_distributed('slurm')
    with pytest.raises(RuntimeError, match='RANK'):
        compat.init_distributed('pytorch')
    seen = types.SimpleNamespace()
    monkeypatch.setattr(
        torch.distributed,
        'init_process_group',
        lambda backend, timeout: vars(seen).update(backend=backend, timeout=timeout),
    )
    for name in ('RANK', 'WORLD_SIZE', 'MASTER_ADDR'):
        monkeypatch.setenv(name, '0')
    assert compat.init_distributed('pytorch', {'timeout': 60}) == 'gloo'
    assert (seen.backend, seen.timeout.total_seconds()) == ('gloo', 60)
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: True)
    assert compat.init_distributed('pytorch', {'backend': 'nccl'}) == 'nccl'


@pytest.mark.parametrize(('arguments', 'swaps'), [({'bgr_to_rgb': True}, True), ({}, False)])
def test_the_exchange_of_colours_is_known_under_either_name(arguments, swaps):
    preprocessor = SegDataPreProcessor(**arguments)
    assert compat.swaps_colours(preprocessor) is swaps
    pixels = torch.tensor([1, 2, 3]).view(3, 1, 1)
    seen = preprocessor({'inputs': [pixels]})['inputs']
    assert bool(seen[0][0, 0, 0] == 3) is swaps
