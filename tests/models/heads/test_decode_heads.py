from __future__ import annotations

import pytest
import torch
from torch import nn

from wsss_plugin.models.backbones import TimmVisionTransformer
from wsss_plugin.models.heads import ConvMLPHead, LargeFOVHead

# Parameters of ViT-B/16 without class token, position embedding and ImageNet head.
VIT_B = 85.647e6


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def multiply_adds(*modules: nn.Module, run) -> int:
    """Multiplications of the convolutions and linear layers, without the attention products."""
    total = 0

    def add(module: nn.Module, _inputs: tuple, output: torch.Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Linear):
            total += output.numel() * module.in_features
        else:
            total += output.numel() * module.weight[0].numel()

    layers = [
        layer
        for module in modules
        for layer in module.modules()
        if isinstance(layer, (nn.Linear, nn.Conv2d))
    ]
    handles = [layer.register_forward_hook(add) for layer in layers]
    run()
    for handle in handles:
        handle.remove()
    return total


@pytest.mark.parametrize('with_classifiers', [False, True])
@pytest.mark.parametrize(
    ('head_type', 'parameters', 'gmacs'), [(ConvMLPHead, 86.3, 67.7), (LargeFOVHead, 91.6, 71.8)]
)
def test_table_4(head_type, parameters, gmacs, with_classifiers):
    with torch.device('meta'):
        vit = TimmVisionTransformer('vit_base_patch16_224', model_args=dict(img_size=448))
        head = head_type(768, num_classes=21)
        classifiers = [nn.Conv2d(768, 20, kernel_size=1, bias=False) for _ in range(2)]
        image = torch.empty(1, 3, 448, 448)
    trunk = count(vit) - vit.trunk.cls_token.numel() - vit.trunk.pos_embed.numel()
    assert abs(trunk - VIT_B) < 1e3
    counted = [head, *(classifiers if with_classifiers else [])]
    assert round((trunk + sum(map(count, counted))) / 1e6, 1) == parameters

    def run() -> None:
        maps = vit(image)
        head(maps)
        for classifier in classifiers:
            classifier(maps[-1])

    assert round(multiply_adds(vit, *counted, run=run) / 1e9, 1) == gmacs
