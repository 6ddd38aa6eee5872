import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmseg.models import SegDataPreProcessor
from torch import nn

from wsss_plugin.engine.onnx_export import ExportedNetwork
from wsss_plugin.errors import ConfigError


class _Segmentor(nn.Module):
    """Its logits are the channels."""

    num_classes = out_channels = 3

    def __init__(self, **settings):
        super().__init__()
        self.data_preprocessor = SegDataPreProcessor(**settings)
        self.conv = nn.Conv2d(4, 3, 1)
        self.test_cfg = ConfigDict(mode='whole')

    def encode_decode(self, inputs, metas):
        assert tuple(metas[0]['img_shape']) == tuple(inputs.shape[-2:])
        return inputs


_COLOURS = torch.tensor([10.0, 20.0, 30.0]).view(1, 3, 1, 1).expand(1, 3, 4, 5)


@pytest.mark.parametrize(
    ('settings', 'expected'),
    [
        # The input is red, green, blue, whatever the loader gives and the network was trained on.
        ({'bgr_to_rgb': True}, [10, 20, 30]),
        ({}, [30, 20, 10]),
        ({'bgr_to_rgb': True, 'mean': [8, 16, 24], 'std': [2, 2, 1]}, [1, 2, 6]),
        ({'mean': [24, 16, 8], 'std': [1, 2, 2]}, [6, 2, 1]),
    ],
)
def test_pixels_are_normalised_in_the_order_of_the_training(settings, expected):
    segmentor = _Segmentor(**settings)
    if 'mean' not in settings:
        segmentor.conv = nn.Conv2d(3, 3, 1)
    network = ExportedNetwork(segmentor)
    assert network.channels == 3
    probabilities, label = network(_COLOURS)
    logits = np.array(expected, float)
    softmax = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    np.testing.assert_allclose(probabilities[0, :, 0, 0], softmax, rtol=1e-5)
    assert label.shape == (1, 4, 5)
    assert (label == logits.argmax()).all()


def test_channels_without_normalisation_are_those_of_the_first_convolution():
    assert ExportedNetwork(_Segmentor()).channels == 4


def test_a_single_score_for_two_classes_is_refused():
    segmentor = _Segmentor()
    segmentor.out_channels = 1
    with pytest.raises(ConfigError, match='out_channels'):
        ExportedNetwork(segmentor)
