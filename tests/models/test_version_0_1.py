import copy

import pytest
import torch
from mmengine.runner import load_state_dict
from mmseg.registry import MODELS

from wsss_plugin.models.version_0_1 import is_version_0_1, renamed_weights

OLD = {
    'cam_head.classifier.weight': 'cams.final.classifier.weight',
    'aux_cam_head.classifier.weight': 'cams.aux.classifier.weight',
    'cnn_cam_head.classifier.weight': 'cams.cnn.classifier.weight',
    'projection_head.mlp.0.bias': 'terms.ctc.projection_head.mlp.0.bias',
    'projection_ema.seen': 'terms.ctc.teacher.seen',
    'backbone.cnn.conv1.weight': 'backbone.cnn.conv1.weight',
    'decode_head.conv_seg.bias': 'decode_head.conv_seg.bias',
}


@pytest.mark.parametrize('wrapped', ['', 'module.'])
def test_names_are_those_of_the_parts(wrapped):
    weights = {wrapped + name: index for index, name in enumerate(OLD)}
    renamed = renamed_weights(weights)
    assert renamed == {wrapped + name: index for index, name in enumerate(OLD.values())}
    assert is_version_0_1(weights)
    assert not is_version_0_1(renamed)


@pytest.mark.parametrize('load', [load_state_dict, torch.nn.Module.load_state_dict])
def test_they_load_into_a_segmentor_and_into_its_copies(load):
    model = MODELS.build(
        dict(
            type='WeakSegmentor',
            backbone=dict(type='ResNet', depth=18, base_channels=4),
            cams=dict(final=dict(type='CAMHead', reads='out.-1', in_channels=32, num_classes=2)),
            terms=dict(cls=dict(type='ClassificationTerm')),
        )
    )
    old = {
        name.replace('cams.final.', 'cam_head.'): torch.full_like(weight, 3)
        for name, weight in model.state_dict().items()
    }
    for loaded in (model, copy.deepcopy(model)):
        load(loaded, dict(old))
        assert (loaded.cams['final'].classifier.weight == 3).all()


def test_a_new_checkpoint_stays_as_it_is():
    weights = {name: index for index, name in enumerate(OLD.values())}
    assert renamed_weights(weights) == weights
    assert renamed_weights({}) == {}
