"""Converts ResNet-38's ImageNet weights from MXNet: python tools/convert_r38.py IN.params OUT.pth.

The published file is ilsvrc-cls_rna-a1_cls1000_ep-0001.params of itijyou/ademxapp (model A1).
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.mxnet_arrays import read_arrays
from wsss_plugin.models.backbones import WideResNet38
from wsss_plugin.whole_file import whole_file

_STATISTICS = dict(
    gamma='weight', beta='bias', moving_mean='running_mean', moving_var='running_var'
)
# res4b3_branch2a: level 4, block 3 after the first (a), first convolution of the branch.
_BLOCK = re.compile(r'(res|bn)(\d)(?:a|b(\d+))_(branch\w+)')
_ONE = re.compile(r'(conv1a|bn7)')


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line.

    Args:
        arguments (Sequence[str], optional): Default: those of the process.

    Returns:
        argparse.Namespace: One attribute per argument.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('in_file', help='published .params file')
    parser.add_argument('out_file', type=Path, help='file to write, for backbone.pretrained')
    return parser.parse_args(arguments)


def renamed(name: str) -> str | None:
    """The name in :class:`WideResNet38` of one of MXNet's.

    Args:
        name (str): Name in the file, such as 'arg:res4b3_branch2a_weight'.

    Returns:
        str | None: Such as 'b4_3.conv_branch2a.weight'; None for the classifier of ImageNet.

    Raises:
        ValueError: If the network has no such part.

    >>> renamed('arg:res4b3_branch2a_weight'), renamed('aux:bn7_moving_mean')
    ('b4_3.conv_branch2a.weight', 'bn7.running_mean')
    """
    plain = name.removeprefix('arg:').removeprefix('aux:')
    if plain.startswith('linear'):
        return None
    for ending, attribute in (('weight', 'weight'), *_STATISTICS.items()):
        layer = plain.removesuffix(f'_{ending}')
        if layer == plain:
            continue
        if _ONE.fullmatch(layer):
            return f'{layer}.{attribute}'
        if found := _BLOCK.fullmatch(layer):
            kind, level, number, branch = found.groups()
            block = f'b{level}' if number is None else f'b{level}_{number}'
            return f'{block}.{"conv" if kind == "res" else "bn"}_{branch}.{attribute}'
    raise ValueError(f'expected names of ResNet-38 in the file, received {name!r}')


def converted(arrays: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """The weights under the published names of AffinityNet's code.

    Args:
        arrays (Mapping): Arrays by MXNet's names.

    Returns:
        dict: Weights by name, float32.

    Raises:
        ValueError: If weights are missing, unknown or of another shape.
    """
    state = {
        new: torch.from_numpy(array.astype(np.float32))
        for name, array in arrays.items()
        if (new := renamed(name)) is not None
    }
    with torch.device('meta'):
        wanted = WideResNet38().state_dict()
    wanted = {name: one for name, one in wanted.items() if not name.endswith('batches_tracked')}
    missing, unknown = sorted(wanted.keys() - state.keys()), sorted(state.keys() - wanted.keys())
    other = [name for name in wanted if name in state and state[name].shape != wanted[name].shape]
    if missing or unknown or other:
        raise ValueError(
            f'expected the {len(wanted)} weights of ResNet-38 (model A1), received {len(state)}: '
            f'missing {missing[:3]}, unknown {unknown[:3]}, of another shape {other[:3]}'
        )
    return {name: state[name] for name in wanted}


def main(arguments: Sequence[str] | None = None) -> int:
    """Converts the file.

    Args:
        arguments (Sequence[str], optional): Default: those of the process.

    Returns:
        int: 0, or 1 where the file cannot be converted.
    """
    args = parse_args(arguments)
    if not Path(args.in_file).is_file():
        print(
            f'convert_r38: {args.in_file}: no such file; download the published .params file '
            '(python tools/convert_r38.py --help names it)',
            file=sys.stderr,
        )
        return 1
    try:
        state = converted(read_arrays(args.in_file))
    except ValueError as error:
        print(f'convert_r38: {error}', file=sys.stderr)
        return 1
    with whole_file(args.out_file) as file:
        torch.save(state, file)
    print(f'convert_r38: {len(state)} arrays in {args.out_file}; set it as backbone.pretrained')
    return 0


if __name__ == '__main__':
    run_tool(main, 'nothing was written', gives_code=True)
