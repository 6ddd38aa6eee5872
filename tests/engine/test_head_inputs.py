import pytest
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from wsss_plugin.engine.head_inputs import check_head_inputs
from wsss_plugin.engine.quiet_runner import QuietRunner
from wsss_plugin.errors import ConfigError

# Feature maps of 8, 16, 32 and 64 channels.
_BACKBONE = dict(type='ResNet', depth=18, base_channels=8, stem_channels=8)
_HEAD = dict(type='FCNHead', channels=4, num_classes=3, num_convs=1)


def _model(neck=None, **head):
    last = {**_HEAD, 'in_channels': 64, 'in_index': 3, **head}
    # A head that makes no convolutions of its own.
    last = {key: value for key, value in last.items() if value is not None}
    return dict(
        type='EncoderDecoder',
        data_preprocessor=dict(type='SegDataPreProcessor', size=(64, 64)),
        backbone=_BACKBONE,
        neck=neck,
        decode_head=last,
        auxiliary_head=[dict(_HEAD, in_channels=32, in_index=-2)],
    )


def _check(config):
    init_default_scope('mmseg')
    check_head_inputs(MODELS.build(config))


@pytest.mark.parametrize(
    'config',
    [
        _model(),
        _model(dict(type='ActivationModulationNeck', in_channels=[8, 16, 32, 64])),
        _model(in_channels=(16, 64), in_index=(1, 3), input_transform='resize_concat'),
        _model(
            type='UPerHead',
            num_convs=None,
            in_channels=(8, 16, 32, 64),
            in_index=(0, 1, 2, 3),
        ),
        dict(_model(), auxiliary_head=None),
    ],
)
def test_heads_that_fit(config):
    _check(config)


@pytest.mark.parametrize(
    ('given', 'message'),
    [
        (
            dict(in_channels=32),
            r'model\.decode_head\.in_channels: expected 64, the channels of feature map 3 .* 32;',
        ),
        (
            dict(in_index=4),
            r'model\.decode_head\.in_index: expected numbers from 0 to 3 .*received 4',
        ),
        (dict(in_index=-5), 'in_index: expected numbers from 0 to 3'),
        (
            dict(in_channels=(16, 32), in_index=(1, 3), input_transform='resize_concat'),
            r'expected \[16, 64\], the channels of feature map \(1, 3\)',
        ),
        (
            dict(type='UPerHead', num_convs=None, in_channels=(8, 16), in_index=(0, 3)),
            r'in_channels: expected \[8, 64\], .* received \(8, 16\)',
        ),
        (
            dict(neck=dict(type='ActivationModulationNeck', in_channels=[8, 16, 32])),
            r'model\.neck: expected one that takes the 4 feature maps .*\[8, 16, 32, 64\] channels',
        ),
        (
            dict(neck=dict(type='FPN', in_channels=[8, 16], out_channels=4, num_outs=2)),
            r'model\.neck: .*received FPN, which refuses them',
        ),
        (
            dict(neck=dict(type='FPN', in_channels=[8, 16, 32, 64], out_channels=4, num_outs=4)),
            'in_channels: expected 4, the channels of feature map 3',
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_its_key(given, message):
    with pytest.raises(ConfigError, match=message):
        _check(_model(**given))


def test_an_auxiliary_head_is_named_by_its_number():
    config = _model()
    config['auxiliary_head'][0]['in_channels'] = 16
    with pytest.raises(ConfigError, match=r'model\.auxiliary_head\.0\.in_channels: expected 32'):
        _check(config)


def test_weights_and_state_stay_as_they_are():
    init_default_scope('mmseg')
    model = MODELS.build(_model())
    before = {name: value.clone() for name, value in model.state_dict().items()}
    check_head_inputs(model)
    assert model.training
    assert all(value.device.type == 'cpu' for value in model.state_dict().values())
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())


def test_a_runner_checks_what_it_builds():
    init_default_scope('mmseg')
    runner = object.__new__(QuietRunner)
    with pytest.raises(ConfigError, match='in_channels: expected 64'):
        runner.build_model(_model(in_channels=8))
