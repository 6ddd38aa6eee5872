"""Looks at images, tags and masks before a training: python tools/inspect_data.py CONFIG --out DIR.

Or without a config: python tools/inspect_data.py --images DIR --tags FILE --out DIR.

DIR gets inspection.json and views.png, a contact sheet of augmented views. After a training,
--checkpoint FILE lists the tags that are most doubtful, missing and wrong, in doubtful_tags.csv.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config, DictAction
from mmengine.registry import init_default_scope
from mmseg.registry import HOOKS, MODELS

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.config_types import is_kind
from wsss_plugin.engine.inspection import (
    INSPECTION_FILE,
    SPLITS,
    find_doubtful_tags,
    image_config,
    inspect_data,
    inspection_text,
    loss_plan,
)
from wsss_plugin.engine.run_config import load_config
from wsss_plugin.errors import cut
from wsss_plugin.whole_file import write_json


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', nargs='?', help='config file')
    parser.add_argument('--images', metavar='DIR', help='folder of images, in place of a config')
    parser.add_argument('--tags', metavar='FILE', help='their tags, CSV or JSON')
    parser.add_argument('--out', metavar='DIR', help='folder of inspection.json and views.png')
    parser.add_argument(
        '--splits', nargs='+', choices=SPLITS, default=SPLITS, help='default: all of the config'
    )
    parser.add_argument(
        '--views', type=int, default=8, help='images on the contact sheet, 0 for none; default: 8'
    )
    parser.add_argument('--checkpoint', metavar='FILE', help='list doubtful tags by this network')
    parser.add_argument(
        '--number', type=int, default=50, help='doubtful tags that are listed; default: 50'
    )
    parser.add_argument('--folds', type=int, default=5, help='folds of their scores; default: 5')
    parser.add_argument('--seed', type=int, default=0, help='seed of the folds; default: 0')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='key=value pairs for the config'
    )
    args = parser.parse_args(arguments)
    if (args.config is None) == (args.images is None) or (args.images is None) != (
        args.tags is None
    ):
        parser.error('expected a config, or --images and --tags')
    if args.checkpoint and args.config is None:
        parser.error('expected a config beside --checkpoint')
    if args.views < 0 or args.number < 1:
        parser.error('expected --views >= 0 and --number >= 1')
    return args


def losses_of(config: Config) -> list[str]:
    """When each loss starts and stops.

    Args:
        config: The config; pretrained weights need not be there.

    Returns:
        Lines of text.
    """
    if 'model' not in config:
        return []
    init_default_scope(config.get('default_scope') or 'mmseg')
    hooks = [
        HOOKS.build(hook)
        for hook in config.get('custom_hooks') or []
        if is_kind(hook, 'LossWeightHook', HOOKS)
    ]
    max_iters = (config.get('train_cfg') or {}).get('max_iters')
    return loss_plan(MODELS.build(config.model), hooks, max_iters)


def add_doubtful_tags(args: argparse.Namespace, config: Config, found: dict[str, Any]) -> list[str]:
    """Finds doubtful tags, adds them to what was found and says them.

    Args:
        args: The command line.
        config: The config.
        found: What ``inspect_data`` gives; changed in place.

    Returns:
        Lines of text.
    """
    tags = find_doubtful_tags(
        config, args.checkpoint, args.out, 'train', args.number, args.folds, args.seed
    )
    found['doubtful_tags'] = [tag._asdict() for tag in tags]
    if args.out is not None:
        write_json(Path(args.out, INSPECTION_FILE), found)
    lines = [f'{len(tags)} doubtful tags of train, the surest first:']
    return lines + [
        f'  {tag.kind}: {cut(tag.tag, 40)} of {cut(tag.image, 60)} (score {tag.score:.2f})'
        for tag in tags
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Inspects as the command line says."""
    args = parse_args(arguments)
    if args.config is None:
        config = image_config(args.images, args.tags)
    else:
        options = {**(args.cfg_options or {}), 'load_part': None}
        config = load_config(args.config, options=options)
    found = inspect_data(config, args.out, args.splits, args.views, losses_of(config))
    lines = inspection_text(found)
    if args.checkpoint:
        lines += add_doubtful_tags(args, config, found)
    print('\n' + '\n'.join(lines))


if __name__ == '__main__':
    run_tool(main)
