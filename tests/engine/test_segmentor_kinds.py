import pytest
from mmengine.config import Config

from wsss_plugin.engine.segmentor_kinds import deployed, predicts, threshold_keys

MODEL = dict(
    type='WeakSegmentor',
    backbone=dict(type='TimmVisionTransformer', model_name='x'),
    decode_head=dict(type='ConvMLPHead', in_channels=8, num_classes=3),
    cams=dict(
        final=dict(type='CAMHead'),
        aux=None,
        decoder=dict(type='DecoderCAM'),
        cnn=dict(type='CAMHead'),
    ),
    labels=dict(
        token=dict(type='TokenLabels', cams=('final',), thresholds=dict(low=0.1, high=0.5)),
        pixel=dict(type='PixelLabels', cams=('final',)),
        truth=dict(type='TrueLabels'),
    ),
)


def test_nothing_is_built_to_know_what_is_predicted():
    assert predicts(MODEL) == {
        'segmentation': 'decode_head',
        'cams': ('cnn', 'final'),
        'labels': ('pixel',),
    }
    without = predicts({**MODEL, 'decode_head': None, 'labels': None})
    assert without['segmentation'] == 'cam'
    assert without['labels'] == ()


def test_thresholds_of_one_maker_are_found():
    assert threshold_keys(MODEL) == ('thresholds', 'labels.token.thresholds')
    assert threshold_keys(Config(dict(model=MODEL)).model) == threshold_keys(MODEL)


def test_a_segmentor_of_the_toolbox_has_neither_cams_nor_thresholds():
    stock = dict(type='EncoderDecoder', backbone=dict(type='ResNet'))
    assert predicts(stock) == {'segmentation': 'decode_head', 'cams': (), 'labels': ()}
    assert threshold_keys(stock) == ()
    assert deployed(stock) == (stock, {'backbone.': 'backbone.'})


def test_an_unknown_type_is_named():
    with pytest.raises(KeyError, match='NoSuchSegmentor'):
        predicts(dict(type='NoSuchSegmentor'))


def test_an_unregistered_class_answers_for_itself():
    class Own:
        @classmethod
        def threshold_keys(cls, config):
            return (config['where'],)

    assert threshold_keys(dict(type=Own, where='students.first.thresholds')) == (
        'students.first.thresholds',
    )
