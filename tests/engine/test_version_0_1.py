import pytest

from wsss_plugin.engine.version_0_1 import is_version_0_1, renamed_weights

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


def test_a_new_checkpoint_stays_as_it_is():
    weights = {name: index for index, name in enumerate(OLD.values())}
    assert renamed_weights(weights) == weights
    assert renamed_weights({}) == {}
