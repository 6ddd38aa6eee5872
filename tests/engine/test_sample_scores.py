"""mIoU of one image, by hand."""

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from wsss_plugin.engine.sample_scores import sample_scores


@pytest.fixture
def sample():
    found = SegDataSample()
    found.gt_sem_seg = PixelData(data=torch.tensor([[[0, 0, 1, 255]]]))
    found.pred_sem_seg = PixelData(data=torch.tensor([[[0, 1, 1, 2]]]))
    score, label = torch.tensor([[[0.1, 0.3, 0.9, 0.9]]]), torch.tensor([[[1, 1, 1, 1]]])
    found.cam = PixelData(score=score, label=label)
    found.pseudo_label = PixelData(data=torch.tensor([[[255, 0, 1, 1]]]))
    return found


def test_every_prediction_is_scored(sample):
    # Of three pixels background is half right, and so is the class.
    assert sample_scores(sample, 3, 0.2) == {
        'pred_sem_seg': 50.0,
        'cam': 50.0,
        'pseudo_label': 100.0,
    }
    assert sample_scores(sample, 3, 0.5)['cam'] == 100.0


def test_no_mask_no_score(sample):
    del sample.gt_sem_seg
    assert sample_scores(sample, 3, 0.2) == {}
