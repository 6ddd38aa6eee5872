from __future__ import annotations

import pytest
import torch
from mmengine.model import BaseModule, PretrainedInit
from torch import nn

from wsss_plugin.engine.pretrained_fit import check_pretrained_fit


class _Part(BaseModule):
    def __init__(self, init_cfg=None):
        super().__init__(init_cfg)
        self.conv = nn.Conv2d(1, 2, 1)
        self.norm = nn.BatchNorm2d(2)


class _Checking(_Part):
    """Initialises more, as MMPretrain's ResNet does."""

    def init_weights(self):
        super().init_weights()
        nn.init.zeros_(self.norm.weight)


class _Reading(_Part):
    """Reads its file by itself, as some of MMSegmentation's transformers do."""

    def init_weights(self):
        weights = torch.load(self.init_cfg['checkpoint'])
        self.load_state_dict({k.removeprefix('encoder.'): v for k, v in weights.items()})


def _model(part):
    model = BaseModule()
    model.backbone = BaseModule()
    model.backbone.cnn = part
    return model


@pytest.fixture
def saved(tmp_path):
    def save(prefix='', drop=(), **changes):
        weights = {**_Part().state_dict(), **changes}
        torch.save(
            {f'{prefix}{name}': value for name, value in weights.items() if name not in drop},
            tmp_path / 'cnn.pth',
        )
        return str(tmp_path / 'cnn.pth')

    return save


@pytest.mark.parametrize('kind', [_Part, _Checking])
@pytest.mark.parametrize('type_', ['Pretrained', PretrainedInit])
def test_other_names_are_refused_with_key_file_and_remedy(saved, kind, type_):
    init_cfg = dict(type=type_, checkpoint=saved('net.'))
    message = (
        r'conv\.weight\) in .*cnn\.pth \(config key model\.backbone\.cnn\.init_cfg\.checkpoint\)'
        r".*for example net\.conv\.weight.*prefix='net\.'"
    )
    with pytest.raises(ValueError, match=message):
        check_pretrained_fit(_model(kind(init_cfg)))
    for prefix in ('net', 'net.'):
        check_pretrained_fit(_model(kind({**init_cfg, 'prefix': prefix})))


def test_the_place_in_a_list_is_named(saved):
    init_cfg = [
        dict(type='Kaiming', layer='Conv2d'),
        dict(type='Pretrained', checkpoint=saved('x.')),
    ]
    with pytest.raises(ValueError, match=r'cnn\.init_cfg\.1\.checkpoint'):
        check_pretrained_fit(_model(_Part(init_cfg)))


def test_one_missing_weight_is_named(saved):
    file = saved(drop=['norm.weight', 'norm.num_batches_tracked'])
    with pytest.raises(ValueError, match=r'none for 1 of them, norm\.weight'):
        check_pretrained_fit(_model(_Part(dict(type='Pretrained', checkpoint=file))))


def test_weights_that_are_not_finite_are_refused(saved):
    file = saved(**{'conv.bias': torch.tensor([1, float('nan')])})
    with pytest.raises(ValueError, match=r'NaN or infinity in conv\.bias'):
        check_pretrained_fit(_model(_Part(dict(type='Pretrained', checkpoint=file))))


def test_more_than_is_needed_is_fine(saved):
    file = saved(**{'fc.weight': torch.ones(3)})
    check_pretrained_fit(_model(_Part(dict(type='Pretrained', checkpoint=file))))


def test_modules_that_read_by_themselves(saved):
    file = saved('encoder.')
    check_pretrained_fit(_model(_Reading(dict(type='Pretrained', checkpoint=file))))
    file = saved('encoder.', drop=['conv.weight'])
    with pytest.raises(ValueError, match=r'conv\.weight'):
        check_pretrained_fit(_model(_Reading(dict(type='Pretrained', checkpoint=file))))


def test_models_without_pretrained_weights():
    check_pretrained_fit(_model(_Part()))
