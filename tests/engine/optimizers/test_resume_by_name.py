"""A training that goes on from the config that the runner wrote into its work folder."""

import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmseg.registry import MODELS
from torch import nn

_STEPS = 6


@MODELS.register_module(force=True)
class PartsModel(BaseModel):
    """Its CAM heads have equal shapes and stand in sorted order or in that of the config."""

    def __init__(self, cams, in_order=True):
        super().__init__()
        names = sorted(cams) if in_order else list(cams)
        self.backbone = nn.ModuleDict({'cnn': nn.Linear(4, 3), 'vit': nn.Linear(4, 3)})
        self.cams = nn.ModuleDict({name: nn.Linear(3, 1) for name in names})
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for _, parameter in sorted(self.named_parameters()):
                parameter.copy_(torch.randn(parameter.shape, generator=generator))
        self.scales = dict(cams)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        del mode
        x, target = torch.stack(list(inputs)), torch.as_tensor(data_samples, dtype=torch.float32)
        features = self.backbone['vit'](x).tanh() + self.backbone['cnn'](x).tanh()
        return {
            f'loss_{name}': scale * (self.cams[name](features).squeeze(1) - target).square().mean()
            for name, scale in sorted(self.scales.items())
        }


def _config(toy, work_dir, in_order=True, **optim_options):
    config = toy.toy_config(work_dir, max_iters=_STEPS, **optim_options)
    config.model = {
        'type': 'PartsModel',
        'cams': {'second': 0.1, 'first': 2.0},
        'in_order': in_order,
    }
    # Another rate for one head, so that groups change places too.
    config.optim_wrapper.paramwise_cfg = {
        'branches': {'cnn': ['backbone.cnn']},
        'bias_lr_mult': 2.0,
        'custom_keys': {'cams.first': {'head_lr_mult': 1}},
    }
    # It returns to the first rates of the groups, which its state holds by position.
    cosine = {'type': 'CosineAnnealingLR', 'T_max': 3, 'eta_min': 1e-3, 'by_epoch': False, 'end': 9}
    config.param_scheduler = {'vit': [cosine], 'cnn': [cosine]}
    config.custom_hooks = [{'type': 'SafeCheckpointHook'}]
    config.default_hooks.checkpoint.interval = 3
    config.pop('model_wrapper_cfg')
    return config


def _train(config):
    runner = Runner.from_cfg(config)
    runner.train()
    return runner


def _stop_and_read_back(toy, work_dir, **options):
    """Trains for three steps; returns the config from the work folder, set to go on."""
    config = _config(toy, work_dir, **options)
    config.train_cfg.max_iters = 3
    _train(config)
    (path,) = work_dir.glob('*.py')
    config = Config.fromfile(path)
    assert list(config.model.cams) == ['first', 'second']
    assert list(config.optim_wrapper.optimizers) == ['cnn', 'vit']
    config.train_cfg.max_iters = _STEPS
    config.resume, config.load_from = True, str(work_dir / 'iter_3.pth')
    config.experiment_name += 'b'
    return config


def _assert_equal_trainings(received, expected):
    weights = expected.model.state_dict()
    for name, weight in received.model.state_dict().items():
        assert torch.equal(weight, weights[name]), name
    # Each parameter has its own moments and rate, wherever it stands.
    states = [
        {
            name: (group['lr'], group['initial_lr'], member.optimizer.state[parameter])
            for member in runner.optim_wrapper.values()
            for group in member.optimizer.param_groups
            for name, parameter in zip(group['param_names'], group['params'], strict=True)
        }
        for runner in (received, expected)
    ]
    assert states[0].keys() == states[1].keys()
    for name, (rate, first, moments) in states[0].items():
        assert (rate, first) == states[1][name][:2], name
        for key, value in moments.items():
            assert torch.equal(torch.as_tensor(value), torch.as_tensor(states[1][name][2][key]))


@pytest.mark.parametrize(
    'options',
    [
        {},
        {'accumulative_counts': 3},
        {'dtype': 'bfloat16'},
        {'clip_grad': {'max_norm': 0.5}},
        # Positions differ, and names alone bring states home.
        {'in_order': False},
        {'in_order': False, 'accumulative_counts': 3},
        {'in_order': False, 'dtype': 'bfloat16'},
    ],
)
def test_resumed_from_the_written_config_equals_uninterrupted(toy, tmp_path, options):
    expected = _train(_config(toy, tmp_path / 'whole', **options))
    config = _stop_and_read_back(toy, tmp_path / 'parts', **options)
    order = [name for name, _ in MODELS.build(config.model).named_parameters()]
    assert ([name for name, _ in expected.model.named_parameters()] == order) == options.get(
        'in_order', True
    )
    _assert_equal_trainings(_train(config), expected)


def test_names_are_plain_data(toy, tmp_path):
    runner = _train(_config(toy, tmp_path))
    saved = torch.load(tmp_path / 'iter_3.pth', weights_only=True)['optimizer']
    groups = [group for state in saved.values() for group in state['param_groups']]
    names = [name for group in groups for name in group['param_names']]
    assert sorted(names) == sorted(name for name, _ in runner.model.named_parameters())


def _resume_changed(toy, tmp_path, change):
    config = _stop_and_read_back(toy, tmp_path)
    checkpoint = torch.load(config.load_from, weights_only=True)
    change(config, checkpoint)
    torch.save(checkpoint, config.load_from)
    return _train(config)


def test_a_training_of_version_0_1_is_refused(toy, tmp_path):
    def change(config, checkpoint):
        del config
        for state in checkpoint['optimizer'].values():
            for group in state['param_groups']:
                group.pop('param_names')

    with pytest.raises(ValueError, match=r'version 0\.1 .*load_from and start anew'):
        _resume_changed(toy, tmp_path, change)


def test_other_parameters_are_named(toy, tmp_path):
    def change(config, checkpoint):
        config.model.cams.third = 1.0
        checkpoint['state_dict']['cams.third.weight'] = torch.zeros(1, 3)
        checkpoint['state_dict']['cams.third.bias'] = torch.zeros(1)

    with pytest.raises(ValueError, match=r'without cams\.third\.bias, cams\.third\.weight'):
        _resume_changed(toy, tmp_path, change)
