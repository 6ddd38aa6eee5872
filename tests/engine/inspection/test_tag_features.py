"""Features are pooled per image, whatever the batches and the tags."""

from types import SimpleNamespace

import numpy as np
import torch

from wsss_plugin.engine.inspection.tag_features import tag_features


class _Images:
    def __init__(self, sizes):
        self.names = tuple(map(str, range(len(sizes))))
        self._inputs = [torch.rand(3, *size) for size in sizes]

    def item(self, name):
        return {'inputs': self._inputs[int(name)], 'data_samples': None}


class _Model:
    def __init__(self):
        self.batches = []

    def data_preprocessor(self, data, training):
        assert not training
        return {'inputs': torch.stack(data['inputs'])}

    def extract_feat(self, image):
        self.batches.append(len(image))
        return image[:, :2], image.sum(dim=(2, 3))


def test_mean_and_maximum_of_maps_and_vectors_as_they_are():
    images, model = _Images([(4, 6)] * 18 + [(5, 3), (4, 6)]), _Model()
    found = tag_features(model, images)
    assert model.batches == [16, 2, 1, 1]
    expected = [
        torch.cat([x[:2].mean((1, 2)), x[:2].amax((1, 2)), x.sum((1, 2))]).numpy()
        for x in images._inputs
    ]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.stack(expected), rtol=1e-5)


def test_the_student_that_is_shown():
    images, model = _Images([(2, 2)]), _Model()
    shown = _Model()
    wrapper = SimpleNamespace(shown=shown, data_preprocessor=model.data_preprocessor)
    assert tag_features(wrapper, images).shape == (1, 7)
    assert shown.batches == [1]
