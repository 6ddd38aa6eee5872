from __future__ import annotations

from types import SimpleNamespace

import torch

from wsss_plugin.models.cams import DecoderCAM


def test_is_the_probability_beside_the_background():
    logits = torch.tensor([2.0, 2.0, 0.0]).view(1, 3, 1, 1)
    cam = DecoderCAM(2).raw({}, None, SimpleNamespace(decode_logits=logits))
    torch.testing.assert_close(cam.flatten(), torch.tensor([0.0, -2.0]).sigmoid())
