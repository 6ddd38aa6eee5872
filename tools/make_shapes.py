"""Makes the embedded shapes data set: ``python tools/make_shapes.py OUT``."""

from __future__ import annotations

import argparse
import json
import sys

from wsss_plugin.datasets.shapes_config import ShapesConfig
from wsss_plugin.datasets.shapes_generator import ShapesGenerator
from wsss_plugin.engine.command_line import run_tool


def parse_args(arguments: list[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    defaults = ShapesConfig()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out', help='folder of the data set; reused if made with the same numbers')
    for name in ('train', 'val', 'size', 'seed'):
        parser.add_argument(f'--{name}', type=int, default=getattr(defaults, name))
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Writes the data set and prints its statistics."""
    args = parse_args(arguments)
    try:
        config = ShapesConfig(train=args.train, val=args.val, size=args.size, seed=args.seed)
        statistics = ShapesGenerator(config).write(args.out)
    except (ValueError, FileExistsError) as error:
        print(f'make_shapes: {error}', file=sys.stderr)
        return 1
    print(json.dumps({split: statistics[split] for split in ('train', 'val')}, indent=1))
    print(f'make_shapes: data set in {args.out}')
    return 0


if __name__ == '__main__':
    run_tool(main, 'the folder is incomplete: remove it and start again', gives_code=True)
