from __future__ import annotations

import pytest
import torch
from mmengine.structures import PixelData
from mmseg.models import SegDataPreProcessor
from mmseg.structures import SegDataSample
from torch import nn

from wsss_plugin.engine.foreground_shares import ForegroundShares, foreground_shares
from wsss_plugin.errors import ConfigError

IGNORED = 7


class Threshold(nn.Module):
    """Calls foreground what is bright; padding would be, too."""

    def __init__(self, channels):
        super().__init__()
        self.channels = channels
        self.data_preprocessor = SegDataPreProcessor(
            mean=[0] * 3, std=[1] * 3, size=(8, 8), pad_val=255, seg_pad_val=1
        )

    def encode_decode(self, inputs, batch_img_metas):
        del batch_img_metas
        assert not self.training
        bright = inputs[:, :1] - 100
        return bright if self.channels == 1 else torch.cat((-bright, bright), dim=1)


class Images:
    """Of 20 pixels: 5 times the number are bright, the same are labelled but for an ignored one."""

    ignore_index = IGNORED

    def __len__(self):
        return 4

    def __getitem__(self, index):
        image, label = torch.zeros(20, dtype=torch.uint8), torch.zeros(20, dtype=torch.uint8)
        image[: 5 * index] = 200
        label[: 5 * index] = 1
        label[-1] = IGNORED
        sample = SegDataSample(gt_sem_seg=PixelData(data=label.view(1, 4, 5)))
        return dict(inputs=image.view(1, 4, 5).expand(3, 4, 5), data_samples=sample)


@pytest.mark.parametrize('channels', [1, 2])
@pytest.mark.parametrize(
    ('num', 'shares'),
    [
        (9, ForegroundShares(4, 30 / 80, 30 / 80, 4 / 80)),
        (2, ForegroundShares(2, 15 / 40, 15 / 40, 2 / 40)),
    ],
)
def test_pixels_inside_the_images_count(channels, num, shares):
    model = Threshold(channels).train()
    assert foreground_shares(model, Images(), num) == shares
    assert model.training


def test_an_image_without_a_label(monkeypatch):
    item = dict(
        inputs=torch.zeros(3, 4, 5), data_samples=SegDataSample(metainfo=dict(img_path='a'))
    )
    monkeypatch.setattr(Images, '__getitem__', lambda *_: item)
    with pytest.raises(ConfigError, match='received views or no label for a;'):
        foreground_shares(Threshold(2), Images(), 1)
