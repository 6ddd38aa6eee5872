"""A segmentor without context whose classes are colours, so that every mask is known."""

from __future__ import annotations

import numpy as np
import torch
from mmseg.models.segmentors.base import BaseSegmentor
from mmseg.registry import MODELS

CLASSES = ('background', 'red', 'green', 'blue')
PALETTE = [[0, 0, 0], [200, 10, 10], [10, 200, 10], [10, 10, 200]]
CONFIG = """
default_scope = 'mmseg'
model = dict(
    type='ColourSegmentor',
    data_preprocessor=dict(
        type='SegDataPreProcessor', mean=[0, 0, 0], std=[255, 255, 255], bgr_to_rgb=True
    ),
)
test_dataloader = dict(
    dataset=dict(
        type='ShapesTagDataset',
        data_root='nowhere',
        ann_file='val.txt',
        pipeline=[
            dict(type='LoadImageOrRaise'),
            dict(type='LoadAnnotations'),
            dict(type='PackWSSSInputs'),
        ],
    ),
)
tta_model = dict(type='ScaleMaxTTAModel', flip_fusion='sum', scale_fusion='sum')
tta_pipeline = [
    dict(type='LoadImageOrRaise'),
    dict(
        type='TestTimeAug',
        transforms=[
            [dict(type='Resize', scale_factor=s, keep_ratio=True) for s in (1.0, 2.0)],
            [dict(type='RandomFlip', prob=prob, direction='horizontal') for prob in (0.0, 1.0)],
            [dict(type='LoadAnnotations')],
            [dict(type='PackWSSSInputs')],
        ],
    ),
]
"""


class ColourSegmentor(BaseSegmentor):
    """One linear map of the colours of a pixel; what is dark is background."""

    align_corners = False
    num_classes = out_channels = len(CLASSES)

    def __init__(self, data_preprocessor=None, test_cfg=None):
        super().__init__(data_preprocessor)
        self.test_cfg = test_cfg
        self.conv = torch.nn.Conv2d(3, self.num_classes, 1)
        self.sizes = []

    def extract_feat(self, inputs):
        return self.conv(inputs)

    encode_decode = _forward = extract_feat

    def loss(self, inputs, data_samples):
        raise NotImplementedError

    def predict(self, inputs, data_samples=None):
        self.sizes.append(tuple(inputs.shape[-2:]))
        return self.postprocess_result(self.conv(inputs), data_samples)


def write_model(folder, classes=CLASSES):
    """Config and checkpoint as files."""
    if 'ColourSegmentor' not in MODELS:
        MODELS.register_module(module=ColourSegmentor)
    model = ColourSegmentor()
    model.conv.weight.data = torch.cat([torch.zeros(1, 3), 8 * torch.eye(3)])[..., None, None]
    model.conv.bias.data = torch.tensor([4.0, 0, 0, 0])
    meta = {'dataset_meta': {'classes': classes, 'palette': PALETTE}} if classes else {}
    torch.save({'state_dict': model.state_dict(), 'meta': meta}, folder / 'colours.pth')
    (folder / 'colours.py').write_text(CONFIG)
    return str(folder / 'colours.py'), str(folder / 'colours.pth')


def colour_image(height=20, width=32):
    """An RGB image and its label map: red on the left, blue below on the right, else dark."""
    label = np.zeros((height, width), dtype=np.uint8)
    label[:, : width // 4] = 1
    label[height // 2 :, width // 2 :] = 3
    colours = np.array([[20, 20, 20], [250, 5, 5], [5, 250, 5], [5, 5, 250]], dtype=np.uint8)
    return colours[label], label
