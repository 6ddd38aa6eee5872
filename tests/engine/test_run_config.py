import os
import pickle

import pytest
import torch
from mmengine.config import Config
from mmseg.registry import HOOKS, METRICS

from wsss_plugin.engine import (
    CosineThresholdHook,
    SafeCheckpointHook,
    run_config,
    scoring_config,
)
from wsss_plugin.evaluation import WSSSMetric

_TEXT = """
model = dict(type='A', value=1)
optim_wrapper = dict(type='OptimWrapper')
test_dataloader = dict(dataset=dict(pipeline=[]))
test_evaluator = [dict(type='WSSSMetric'), dict(type='Other')]
default_hooks = dict(visualization=dict(type='SegVisualizationHook'))
visualizer = dict(type='SegLocalVisualizer')
custom_hooks = [dict(type='SafeCheckpointHook')]
"""

_NEW_STYLE = """
from mmcv.transforms import RandomFlip, Resize, TestTimeAug
from mmengine.model import PretrainedInit
from mmengine.optim import AmpOptimWrapper
from wsss_plugin.datasets import VOCTagDataset
from wsss_plugin.engine import SafeCheckpointHook
from wsss_plugin.evaluation import WSSSMetric

model = dict(init_cfg=dict(type=PretrainedInit, checkpoint='no/such.pth'))
optim_wrapper = dict(type=AmpOptimWrapper)
val_dataloader = dict(dataset=dict(type=VOCTagDataset, data_root='no/such'))
test_dataloader = dict(dataset=dict(pipeline=[]))
test_evaluator = dict(type=WSSSMetric)
tta_model = dict(type='SegTTAModel')
tta_pipeline = [
    dict(
        type=TestTimeAug,
        transforms=[
            [dict(type=Resize, scale_factor=1.5)],
            [dict(type=RandomFlip, prob=1.0)],
        ],
    )
]
custom_hooks = [dict(type=SafeCheckpointHook)]
"""


@pytest.fixture(autouse=True)
def _gpu(monkeypatch):
    """The toolbox's mixed precision needs one."""
    monkeypatch.setattr(run_config, 'get_device', lambda: 'cuda')


@pytest.fixture
def path(tmp_path):
    file = tmp_path / 'some.py'
    file.write_text(_TEXT)
    return str(file)


def test_command_line_goes_before_the_config(path):
    config = run_config.load_config(path, options={'model.value': 2})
    assert config.model.value == 2
    assert config.work_dir == 'work_dirs/some'
    assert run_config.load_config(path, work_dir='x').work_dir == 'x'


def test_adds_the_checkpoint_hooks_once(path):
    hooks = [hook['type'] for hook in run_config.load_config(path).custom_hooks]
    assert sorted(hooks) == sorted(run_config._HOOKS)


def test_distributed_training_gets_a_wrapper_for_any_device(path, monkeypatch):
    seen = []
    monkeypatch.setattr(run_config.compat, 'init_distributed', lambda *a: seen.append(a))
    options = {'find_unused_parameters': True}
    config = run_config.load_config(path, options=options, launcher='pytorch')
    assert seen == [('pytorch', None)]
    assert config.model_wrapper_cfg['type'] == 'DeviceAgnosticDistributedDataParallel'
    assert config.model_wrapper_cfg['find_unused_parameters'] is True
    assert 'model_wrapper_cfg' not in run_config.load_config(path)


def test_amp_switches_the_wrapper(path):
    config = run_config.load_config(path)
    run_config.enable_amp(config)
    run_config.enable_amp(config)
    assert config.optim_wrapper == {'type': 'AmpOptimWrapper', 'loss_scale': 'dynamic'}
    config.optim_wrapper.type = 'ApexOptimWrapper'
    with pytest.raises(ValueError, match='ApexOptimWrapper'):
        run_config.enable_amp(config)


@pytest.mark.parametrize('kind', ['OptimWrapper', 'AmpOptimWrapper'])
def test_amp_without_a_gpu_needs_the_constructor_of_this_package(path, monkeypatch, kind):
    monkeypatch.setattr(run_config, 'get_device', lambda: 'cpu')
    config = run_config.load_config(path, options={'optim_wrapper.type': kind})
    with pytest.raises(ValueError, match=r"a GPU for --amp .* received the device 'cpu'.*drop"):
        run_config.enable_amp(config)
    config.optim_wrapper.constructor = 'DualBranchOptimWrapperConstructor'
    run_config.enable_amp(config)
    assert config.optim_wrapper.type == 'AmpOptimWrapper'


def _checkpoint(path, iteration=4, **changes):
    """What a training saves, as small as it can be."""
    hub = dict(log_scalars={}, runtime_info={}, resumed_keys={})
    meta = dict(iter=iteration, epoch=0)
    content = dict(state_dict={'a': torch.ones(1)}, optimizer={}, message_hub=hub, meta=meta)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({**content, **changes}, path)
    return str(path)


def test_resume_is_off_automatic_or_from_a_file(tmp_path):
    config = Config({'load_from': None, 'work_dir': str(tmp_path / 'work')})
    run_config.set_resume(config, None)
    assert not config.resume
    saved = _checkpoint(tmp_path / 'other.pth')
    run_config.set_resume(config, saved)
    assert config.resume
    assert config.load_from == saved
    with pytest.raises(FileNotFoundError, match=r'nowhere\.pth'):
        run_config.set_resume(config, 'nowhere.pth')


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(message_hub=None), r'expected message_hub in .*a\.pth.*received none.*load_from'),
        (dict(optimizer=[1]), r'expected optimizer in .*a\.pth.*received a list'),
        (dict(meta=dict(iter='4', epoch=0)), r"meta\.iter in .*a\.pth.*received '4'"),
        (dict(meta=dict(iter=-1, epoch=0)), r'meta\.iter in .*a\.pth.*received -1'),
        (dict(message_hub=dict(log_scalars={})), r'message_hub\.runtime_info in .*a\.pth'),
    ],
)
def test_what_cannot_be_resumed_is_named(tmp_path, changes, message):
    config = Config({'work_dir': str(tmp_path)})
    with pytest.raises(ValueError, match=message):
        run_config.set_resume(config, _checkpoint(tmp_path / 'a.pth', **changes))


@pytest.mark.parametrize('content', [b'some text', b'', pickle.dumps([1, 2])])
def test_what_is_no_checkpoint_cannot_be_resumed(tmp_path, content):
    (tmp_path / 'a.pth').write_bytes(content)
    with pytest.raises(RuntimeError, match=r'expected .*a\.pth'):
        run_config.set_resume(Config({'work_dir': str(tmp_path)}), str(tmp_path / 'a.pth'))


def test_automatic_resume_goes_before_the_weights_to_start_from(tmp_path):
    config = Config({'load_from': 'other.pth', 'work_dir': str(tmp_path)})
    run_config.set_resume(config, 'auto')
    assert (config.resume, config.load_from) == (False, 'other.pth')
    saved = _checkpoint(tmp_path / 'iter_4.pth')
    (tmp_path / 'last_checkpoint').write_text(saved)
    run_config.set_resume(config, 'auto')
    assert (config.resume, config.load_from) == (True, saved)


def test_automatic_resume_looks_where_the_hook_saves(tmp_path):
    hooks = dict(checkpoint=dict(out_dir=str(tmp_path / 'out')))
    config = Config(dict(work_dir=str(tmp_path / 'work'), default_hooks=hooks))
    saved = _checkpoint(tmp_path / 'out' / 'work' / 'iter_4.pth')
    run_config.set_resume(config, 'auto')
    assert (config.resume, config.load_from) == (True, saved)


def test_checkpoints_are_saved_by_the_hook_that_keeps_one_at_every_moment(path):
    hooks = run_config.load_config(path).default_hooks
    assert hooks.checkpoint == {'type': 'WholeCheckpointHook'}
    options = {'default_hooks.checkpoint': dict(type='CheckpointHook', interval=3)}
    hooks = run_config.load_config(path, options=options).default_hooks
    assert hooks.checkpoint == {'type': 'WholeCheckpointHook', 'interval': 3}
    options = {'default_hooks.checkpoint': None}
    assert run_config.load_config(path, options=options).default_hooks.checkpoint is None


def test_part_of_a_checkpoint_by_name(path, tmp_path):
    saved = _checkpoint(tmp_path / 'a.pth')
    options = {'load_part': dict(checkpoint=saved, modules=('backbone',))}
    hook = run_config.load_config(path, options=options).custom_hooks[-1]
    assert hook == dict(type='LoadPartHook', checkpoint=saved, modules=('backbone',))


@pytest.mark.parametrize(
    ('part', 'error', 'message'),
    [
        (dict(checkpoint='a.pth'), ValueError, r"load_part=dict\(checkpoint=.*received \{'check"),
        (dict(checkpoint='a.pth', modules=()), ValueError, r'load_part\.modules.*received \(\)'),
        (dict(checkpoint='a.pth', modules='backbone'), ValueError, "received 'backbone'"),
        (dict(checkpoint='no.pth', modules=['a']), FileNotFoundError, r'load_part\.checkpoint.*no'),
    ],
)
def test_part_of_a_checkpoint_is_checked(path, part, error, message):
    with pytest.raises(error, match=message):
        run_config.load_config(path, options={'load_part': part})


class OwnMetric(WSSSMetric):
    """A user's metric."""


class OwnThresholdHook(CosineThresholdHook):
    """A user's schedule."""


class OwnCheckpointHook(SafeCheckpointHook):
    """A user's checkpoints."""


@pytest.mark.parametrize('by_name', [True, False])
def test_subclasses_are_recognised(by_name):
    classes = {METRICS: OwnMetric, HOOKS: OwnThresholdHook}
    for registry, kind in classes.items():
        registry.register_module(module=kind, force=True)
    metric, hook = (kind.__name__ if by_name else kind for kind in classes.values())
    model = dict(type='WeakSegmentor', thresholds=dict(high=0.7))
    config = Config(dict(model=model, test_evaluator=dict(type=metric)))
    config.custom_hooks = [dict(type=hook, start=0.7, end=0.5)]
    run_config.use_final_threshold(config)
    assert config.model.thresholds.high == 0.5
    scoring_config.enable_crf(config)
    assert config.test_evaluator.crf == {}


def test_a_hook_of_the_same_kind_is_not_added(path):
    HOOKS.register_module(module=OwnCheckpointHook, force=True)
    options = {'custom_hooks': [dict(type='OwnCheckpointHook')]}
    hooks = [hook['type'] for hook in run_config.load_config(path, options=options).custom_hooks]
    assert hooks == ['OwnCheckpointHook', *run_config._HOOKS[1:]]


def test_missing_config_is_named():
    with pytest.raises(FileNotFoundError, match=r'nowhere\.py'):
        run_config.load_config('nowhere.py')


def test_missing_weights_are_named_with_their_key(tmp_path):
    weights = tmp_path / 'weights.pth'

    def pretrained(checkpoint):
        return {'type': 'Pretrained', 'checkpoint': str(checkpoint)}

    model = {
        'backbone': {'cnn': {'init_cfg': [{'type': 'Normal'}, pretrained(weights)]}},
        'neck': {'init_cfg': pretrained('torchvision://resnet50')},
    }
    key = r'model\.backbone\.cnn\.init_cfg\.1\.checkpoint'
    with pytest.raises(FileNotFoundError, match=rf'{key}, received .*weights\.pth'):
        run_config.check_weights(model)
    weights.write_bytes(b'')
    run_config.check_weights(model)


@pytest.mark.parametrize('masks', [True, False])
def test_training_needs_no_masks_for_validation(tmp_path, masks):
    if masks:
        (tmp_path / 'SegmentationClass').mkdir()
    dataset = dict(type='VOCTagDataset', data_root=str(tmp_path), ann_file='val.txt')
    config = Config(dict(val_dataloader=dict(dataset=dataset), val_evaluator={}, val_cfg={}))
    if masks:
        assert not run_config.skip_validation_without_masks(config)
        assert config.val_dataloader == dict(dataset=dataset)
    else:
        with pytest.warns(UserWarning, match='SegmentationClass.*without validation'):
            assert run_config.skip_validation_without_masks(config)
        assert config.val_dataloader is config.val_evaluator is config.val_cfg is None


def test_other_data_sets_keep_their_validation():
    dataset = dict(type='CityscapesDataset')
    config = Config(dict(val_dataloader=dict(dataset=dataset)))
    assert not run_config.skip_validation_without_masks(config)


def test_missing_weights_of_a_transformer_are_named():
    model = dict(backbone=dict(vit=dict(type='TimmVisionTransformer', pretrained='no/such.pth')))
    with pytest.raises(FileNotFoundError, match=r'model\.backbone\.vit\.pretrained=False'):
        run_config.check_weights(model)


def test_types_may_be_classes(tmp_path):
    file = tmp_path / 'new_style.py'
    file.write_text(_NEW_STYLE)
    config = run_config.load_config(str(file))
    assert len(config.custom_hooks) == len(run_config._HOOKS)
    run_config.enable_amp(config)
    with pytest.raises(FileNotFoundError, match=r'model\.init_cfg\.checkpoint'):
        run_config.check_weights(config.model)
    scoring_config.enable_crf(config)
    assert config.test_evaluator.crf == {}
    scoring_config.enable_tta(config)
    assert (config.test_evaluator.scales, config.test_evaluator.flip) == ((1.5,), True)
    with pytest.warns(UserWarning, match='without validation'):
        assert run_config.skip_validation_without_masks(config)


def test_deterministic_training_prepares_cublas(path, monkeypatch):
    monkeypatch.delenv('CUBLAS_WORKSPACE_CONFIG', raising=False)
    run_config.load_config(path)
    assert 'CUBLAS_WORKSPACE_CONFIG' not in os.environ
    run_config.load_config(path, options={'randomness': {'deterministic': True}})
    assert os.environ.pop('CUBLAS_WORKSPACE_CONFIG') == ':4096:8'


_FALLING = dict(type='CosineThresholdHook', start=0.7, end=0.5)


def test_the_last_threshold_of_the_training_is_used():
    hooks = [dict(type='SafeCheckpointHook'), _FALLING]
    model = dict(type='WeakSegmentor', thresholds=dict(low=0.25, high=0.7))
    config = Config(dict(model=model, custom_hooks=hooks))
    run_config.use_final_threshold(config)
    assert config.model.thresholds == dict(low=0.25, high=0.5)


def test_the_last_thresholds_of_one_label_maker_are_used():
    own = dict(type='PixelLabels', thresholds=dict(low=0.1, high=(0.7, 0.6)))
    model = dict(
        type='WeakSegmentor',
        thresholds=dict(low=0.25, high=0.7),
        labels=dict(pixel=own, token=None),
    )
    hook = dict(
        type='CosineThresholdHook',
        start=(0.7, 0.6),
        end=(0.5, 0.4),
        targets=('labels.pixel.thresholds',),
    )
    config = Config(dict(model=model, custom_hooks=[hook]))
    run_config.use_final_threshold(config)
    assert config.model.labels.pixel.thresholds.high == (0.5, 0.4)
    assert config.model.thresholds.high == 0.7


@pytest.mark.parametrize(
    ('model', 'hooks'),
    [
        # the user's own
        (dict(type='WeakSegmentor', thresholds=dict(low=0.25, high=0.6)), [_FALLING]),
        (dict(type='WeakSegmentor', thresholds=dict(low=0.25, high=0.7)), None),
        (dict(type='EncoderDecoder', thresholds=dict(low=0.25, high=0.7)), [_FALLING]),
    ],
)
def test_a_threshold_that_does_not_fall_stays(model, hooks):
    config = Config(dict(model=model, custom_hooks=hooks))
    before = config.pretty_text
    run_config.use_final_threshold(config)
    assert config.pretty_text == before
