from __future__ import annotations

import pytest
from mmengine.config import Config

from wsss_plugin.engine.label_weights import check_label_weights
from wsss_plugin.errors import ConfigError

_STORED = dict(type='WeakSegmentor', labels=dict(a=None, stored=dict(type='StoredLabels')))
_TOOLBOX = dict(type='mmseg.EncoderDecoder')


def _check(label_dir, model):
    check_label_weights(
        Config(dict(model=model, train_dataloader=dict(dataset=dict(label_dir=label_dir))))
    )


@pytest.mark.parametrize(
    'label_dir', [None, 'a', ['a', 'b'], dict(folder='a'), [dict(folder='a', weight=1), 'b']]
)
def test_nothing_to_read(label_dir):
    _check(label_dir, _TOOLBOX)


@pytest.mark.parametrize('label_dir', [dict(folder='a', weight=2), [dict(folder='a', weight=0)]])
def test_weights_need_a_reader(label_dir):
    _check(label_dir, _STORED)
    message = r'label_dir: .* received \[[20]\] for a {} without StoredLabels'
    with pytest.raises(ConfigError, match=message.format('EncoderDecoder')):
        _check(label_dir, _TOOLBOX)
    with pytest.raises(ConfigError, match=message.format('WeakSegmentor')):
        _check(label_dir, dict(_STORED, labels=dict(pixel=dict(type='PixelLabels'))))


def test_a_config_without_training_data():
    check_label_weights(Config(dict(model=_TOOLBOX)))
