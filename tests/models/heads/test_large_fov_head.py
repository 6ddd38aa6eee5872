from __future__ import annotations

import pytest
import torch

from wsss_plugin.models.heads import LargeFOVHead


def test_matches_the_reference(reference):
    arrays = reference('tiny_toco_network')
    head = LargeFOVHead(24, channels=512, num_classes=6)
    convolutions = (head.convs[0], head.convs[2], head.conv_seg)
    for index, layer in enumerate(convolutions):
        j = torch.arange(1, layer.weight.numel() + 1, dtype=torch.float64)
        weight = (0.05 * torch.sin((0.1 + 0.013 * index) * j)).float()
        layer.weight.data = weight.view_as(layer.weight)
    logits = head((arrays['fmap'],))
    torch.testing.assert_close(logits, arrays['seg_logits'], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize('size', [(5, 7), (1, 1)])
def test_it_reads_its_level_alone(size):
    head = LargeFOVHead(6, num_classes=4, channels=8, in_index=0)
    maps = torch.randn(2, 6, *size)
    logits = head((maps, torch.randn(2, 3, 1, 1)))
    assert logits.shape == (2, 4, *size)
    torch.testing.assert_close(logits, head((maps,)))


def test_gradient_reaches_every_weight():
    head = LargeFOVHead(6, num_classes=4, channels=8)
    head((torch.randn(2, 6, 5, 7),)).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in head.parameters())


def test_it_has_no_bias():
    names = [name for name, _ in LargeFOVHead(6, num_classes=4).named_parameters()]
    assert len(names) == 3
    assert not any(name.endswith('bias') for name in names)


def test_a_pixel_sees_two_dilated_convolutions_far():
    """Twice five pixels to either side, by the default dilation."""
    head = LargeFOVHead(3, num_classes=2, channels=4).double()
    for parameter in head.parameters():
        parameter.data.abs_()
    image = torch.ones(1, 3, 1, 61, dtype=torch.float64, requires_grad=True)
    head((image,))[..., 30].sum().backward()
    seen = image.grad.sum(dim=(0, 1, 2)).nonzero().flatten().tolist()
    assert seen == [20, 25, 30, 35, 40]


def test_several_maps_are_put_side_by_side():
    head = LargeFOVHead((4, 6), 8, num_classes=3, in_index=(0, 1), input_transform='resize_concat')
    first, second = torch.randn(1, 4, 5, 6), torch.randn(1, 6, 5, 6)
    whole = LargeFOVHead(10, 8, num_classes=3, in_index=-1)
    whole.load_state_dict(head.state_dict())
    torch.testing.assert_close(head((first, second)), whole((torch.cat((first, second), dim=1),)))
