"""Times a transformer whose blocks are compiled beside the same one as it is.

python docs/results/studies/compiled_blocks.py
"""

from __future__ import annotations

import copy
import time
from statistics import median

import timm
import torch
from torch import Tensor, nn

_REPEATS = 7


def main() -> None:
    """Prints medians of forward and backward pass, and how long the first one compiles."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    plain = timm.create_model('deit_tiny_patch16_224').train()
    compiled = copy.deepcopy(plain)
    for block in compiled.blocks:
        block.compile(dynamic=True)
    images = torch.randn(4, 3, 224, 224)
    start = time.perf_counter()
    _loss(compiled, images)
    first = time.perf_counter() - start
    # In turn, so that another load of the machine meets both.
    pairs = [(_seconds(plain, images), _seconds(compiled, images)) for _ in range(_REPEATS)]
    difference = (_loss(plain, images) - _loss(compiled, images)).abs().item()
    before, after = (median(times) for times in zip(*pairs, strict=True))
    print(
        f'plain {before:.3f} s, compiled {after:.3f} s, its first pass {first:.1f} s of the clock'
    )
    print(f'the losses differ by {difference:.1e}')


def _loss(network: nn.Module, images: Tensor) -> Tensor:
    network.zero_grad()
    loss = network.forward_features(images).square().mean()
    loss.backward()
    return loss.detach()


def _seconds(network: nn.Module, images: Tensor) -> float:
    start = time.process_time()
    _loss(network, images)
    return time.process_time() - start


if __name__ == '__main__':
    main()
