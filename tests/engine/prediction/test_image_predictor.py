"""The predictor on a segmentor whose masks are known: scales, windows, CRF, and what is refused."""

import numpy as np
import pytest
import torch
from mmengine.config import Config

from wsss_plugin.datasets import ShapesTagDataset
from wsss_plugin.engine.prediction import ImagePredictor
from wsss_plugin.errors import ConfigError
from wsss_plugin.evaluation.dense_crf import dense_crf

_OF_CAMS = dict(_delete_=True, type='WeakSegmentor', cams=dict(final=dict(type='CAMHead')))


@pytest.fixture
def make(colours, tmp_path):
    def make(changes=None, classes=colours.CLASSES, **arguments):
        path, checkpoint = colours.write_model(tmp_path, classes)
        config = Config.fromfile(path)
        config.merge_from_dict(changes or {})
        return ImagePredictor(config, checkpoint, **arguments)

    return make


@pytest.mark.parametrize(
    'arguments', [{}, {'tta': True}, {'window': 12}, {'tta': True, 'window': 12, 'stride': 12}]
)
def test_the_mask_is_that_of_the_colours(make, colours, arguments):
    image, label = colours.colour_image()
    found = make(**arguments)(image)
    # Pixels at borders of colours differ once the image was scaled.
    assert (found.label == label).mean() > (0.93 if 'tta' in arguments else 0.9999)
    # Two scales and their mirror images are summed.
    several = 4 if 'tta' in arguments else 1
    logits = several * np.concatenate((np.full((20, 32, 1), 4.0), image / 255 * 8), axis=2)
    score = torch.from_numpy(logits).softmax(dim=2).amax(dim=2).numpy()
    close = np.abs(found.score - score) < 2e-3
    assert close.mean() > (0.8 if 'tta' in arguments else 0.9999)


def test_the_network_sees_windows_only(make, colours):
    predictor = make(window=12)
    predictor(colours.colour_image(20, 32)[0])
    assert set(predictor._source.model.sizes) == {(12, 12)}
    assert predictor.method == {'tta': False, 'crf': None, 'window': [12, 8]}


def test_the_crf_is_that_of_the_test(make, colours):
    pytest.importorskip('pydensecrf')
    image = colours.colour_image()[0].copy()
    image[4, 13] = (130, 20, 20)
    predictor = make({'test_evaluator': dict(type='WSSSMetric', crf=dict(num_iter=3))}, crf=True)
    assert predictor.method['crf'] == {
        'num_iter': 3,
        'gaussian': [1, 1],
        'bilateral': [121, 5, 4],
    }
    values = torch.from_numpy(image / 255.0).float().permute(2, 0, 1)
    plain = torch.cat((torch.full((1, 20, 32), 4.0), 8 * values)).softmax(dim=0).numpy()
    refined = dense_crf(image, plain, num_iter=3)
    found = predictor(image)
    assert (found.label == refined.argmax(axis=0)).all()
    np.testing.assert_allclose(found.score, refined.max(axis=0), atol=2e-3)
    assert (found.label != plain.argmax(axis=0)).any()


def test_names_and_colours_may_come_from_the_config(make):
    names = ('nothing', 'a', 'b', 'c')
    predictor = make({'test_dataloader.dataset.metainfo': dict(classes=names)}, classes=None)
    assert predictor.classes == names
    assert predictor.palette == ShapesTagDataset.METAINFO['palette']


@pytest.mark.parametrize(
    ('changes', 'arguments', 'message'),
    [
        ({}, {'stride': 3}, 'expected --stride with --window'),
        ({}, {'window': 8, 'stride': 9}, 'a stride of 9 and a window of 8'),
        ({}, {'device': 'cuda:99'}, 'expected a device of this machine for --device.*cuda:99'),
        ({}, {'device': 'toaster'}, 'expected a device of this machine for --device.*toaster'),
        ({}, {'classes': ('a', 'b')}, 'expected 4 names of classes.*received 2'),
        ({'test_dataloader': None}, {}, 'test_dataloader.dataset: expected a data set'),
        (
            {'model': _OF_CAMS},
            {},
            'expected a segmentor with a decode head.*WeakSegmentor without.*draw_panels',
        ),
    ],
)
def test_what_cannot_be_done_is_refused(make, changes, arguments, message):
    with pytest.raises(ConfigError, match=message):
        make(changes, **arguments)


def test_several_scales_need_their_part_of_the_config(colours, tmp_path):
    path, checkpoint = colours.write_model(tmp_path)
    config = Config.fromfile(path)
    config.pop('tta_pipeline')
    with pytest.raises(KeyError, match=r"for --tta, received none of \['tta_pipeline'\]"):
        ImagePredictor(config, checkpoint, tta=True)


@pytest.mark.parametrize('image', [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3))])
def test_only_rgb_of_8_bits_is_predicted(make, image):
    with pytest.raises(ValueError, match='expected an RGB image'):
        make()(image)
