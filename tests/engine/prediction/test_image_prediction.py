import numpy as np

from wsss_plugin.engine.prediction import ImagePrediction


def test_shares_and_means_of_the_classes_present():
    label = np.array([[0, 0, 0], [2, 2, 0]], dtype=np.uint8)
    score = np.array([[0.5, 0.5, 1], [0.25, 0.75, 1]], dtype=np.float16)
    assert ImagePrediction(label, score).summary(['none', 'cat', 'dog']) == {
        'size': [3, 2],
        'classes': {
            'none': {'share': 0.666667, 'mean_score': 0.75},
            'dog': {'share': 0.333333, 'mean_score': 0.5},
        },
    }
