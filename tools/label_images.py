"""From images and tags to masks: python tools/label_images.py --images DIR --tags FILE --out DIR.

Looks at the images, writes a config, trains, writes a mask for each image, and judges the result
by the tags of images that were not trained on. The same command goes on after an interruption. The
folder gets

  config.py           what is trained; edit it, and train it by tools/train.py or by this command
  masks/              a mask for each image, in the colours of its classes
  all_background.txt  images with tags whose mask is all background
  next_to_nothing.txt images of whose tags so little was found that it is a guess
  report.html         curves, scores and settings
  inspection/, train/, stages.py, records/
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mmengine.config import Config

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.inspection import INSPECTION_FILE, inspect_data, inspection_text
from wsss_plugin.engine.judging import JUDGEMENT_FILE, REVIEW_FILE, judge_run, mask_lines
from wsss_plugin.engine.labelling import (
    CONFIG_FILE,
    EMPTY_FILE,
    FAINT_FILE,
    HELD_OUT_LIST,
    PRESETS,
    STAGES_FILE,
    TRAIN_LIST,
    Preset,
    PretrainedFiles,
    TaggedFolder,
    choose_preset,
    config_text,
    find_empty_masks,
    measure_speed,
    number_of_processes,
    stages_text,
)
from wsss_plugin.engine.run_config import load_config
from wsss_plugin.engine.run_report import write_report
from wsss_plugin.engine.stages import StageRunner, read_stages
from wsss_plugin.errors import ConfigError, DataError, listed, received
from wsss_plugin.whole_file import write_json, write_text

TOOLS = Path(__file__).resolve().parent
SETTINGS_FILE = 'label_images.json'
_SHOWN = 20
# Of the time: starts of processes, the inspection, and the judgement of the held out images.
_STARTS, _JUDGED_PER_IMAGE = 60.0, 0.2
# Two processes share caches and memory.
_TOGETHER = 1.2


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--images', required=True, metavar='DIR', help='folder of the images')
    parser.add_argument('--tags', required=True, metavar='FILE', help='their tags, CSV or JSON')
    parser.add_argument('--out', required=True, type=Path, metavar='DIR', help='folder of it all')
    parser.add_argument(
        '--weights',
        nargs='+',
        default=[],
        metavar='FILE',
        help='pretrained weights of the transformer and of the CNN, or their folder',
    )
    parser.add_argument(
        '--preset',
        choices=list(PRESETS),
        help="default: the weights'; without, 'base' on a GPU, which downloads them, and 'scratch' "
        'on CPUs',
    )
    parser.add_argument('--minutes', type=float, help="about how long it takes; default: preset's")
    parser.add_argument('--max-iters', type=int, help='iterations in place of --minutes')
    parser.add_argument('--classes', nargs='+', help='in their order; default: those of the tags')
    parser.add_argument('--list', metavar='FILE', help='names of images, one per line; else all')
    parser.add_argument(
        '--unlisted',
        choices=['error', 'ignore', 'background'],
        default='error',
        help='what images without an entry in the tags are; default: error',
    )
    parser.add_argument('--no-tags', action='store_true', help='let masks choose among all classes')
    parser.add_argument('--no-tta', action='store_true', help='masks of one scale')
    parser.add_argument('--no-crf', action='store_true', help='masks without a dense CRF')
    parser.add_argument('--masks', metavar='DIR', help='masks <name>.png of 30 images or more')
    parser.add_argument('--processes', type=int, help='default: one for each GPU, or two on CPUs')
    args = parser.parse_args(arguments)
    for name in ('minutes', 'max_iters', 'processes'):
        if getattr(args, name) is not None and getattr(args, name) <= 0:
            flag = name.replace('_', '-')
            parser.error(f'expected --{flag} above 0, received {getattr(args, name)}')
    return args


def settings_of(args: argparse.Namespace) -> dict[str, Any]:
    """What decides on the files of a folder, for the next call of the command."""
    kept = {key: value for key, value in vars(args).items() if key not in ('out', 'masks')}
    return json.loads(json.dumps({**kept, 'images': os.path.abspath(args.images)}))


def prepare(args: argparse.Namespace, folder: TaggedFolder) -> None:
    """Writes config and stages, unless an earlier call has.

    Args:
        args: The command line.
        folder: Images and tags.

    Raises:
        ConfigError: If an earlier call had other options.
        DataError: If a file cannot be read.
    """
    noted, settings = args.out / SETTINGS_FILE, settings_of(args)
    if noted.is_file():
        earlier = json.loads(noted.read_text(encoding='utf-8'))['options']
        if other := [key for key in settings if earlier.get(key) != settings[key]]:
            raise ConfigError(
                f'--out {args.out}: expected the options of the earlier call, received '
                f'{other[0]}={received(settings[other[0]])} in place of '
                f'{received(earlier.get(other[0]))}; edit {args.out / CONFIG_FILE}, or name '
                'another folder'
            )
        return
    weights = PretrainedFiles.find(args.weights)
    preset = choose_preset(args.preset, weights.preset, folder.side())
    processes = args.processes or number_of_processes(preset.batch)
    if preset.batch % processes:
        raise ConfigError(
            f'--processes: expected a number that divides the {preset.batch} images of a step, '
            f'received {processes}; take one that does'
        )
    trained, held = folder.held_out(args.masks)
    args.out.mkdir(parents=True, exist_ok=True)
    lists = args.out.absolute() if held else None
    for name, words in ((TRAIN_LIST, trained), (HELD_OUT_LIST, held)):
        if held:
            write_text(args.out / name, ''.join(f'{word}\n' for word in words))
    text = partial(config_text, folder, preset, weights, processes, lists=lists, masks=args.masks)
    config = _without_weights(text(max_iters=preset.usual), preset)
    inspect(args.out, config, folder.images)
    length = args.max_iters or fitting_length(args, folder, preset, config, processes)
    write_text(args.out / CONFIG_FILE, text(max_iters=length))
    write_text(
        args.out / STAGES_FILE,
        stages_text(folder, not args.no_tags, not args.no_tta, not args.no_crf),
    )
    # Last: without it nothing of the above counts.
    write_json(noted, {'options': settings, 'processes': processes})
    say(
        f'{len(folder)} images of {len(folder.classes) - 1} classes, {len(held)} held out; preset '
        f'{preset.backbone}, {length} iterations of {preset.batch} images of {preset.image_size} '
        f'pixels on {processes} process(es)'
    )


def fitting_length(
    args: argparse.Namespace,
    folder: TaggedFolder,
    preset: Preset,
    config: Config,
    processes: int,
) -> int:
    """Iterations that fit into the time, by the measured speed.

    Args:
        args: The command line.
        folder: Images and tags.
        preset: What is trained.
        config: What is trained, of the preset's usual length and without weights.
        processes: Number of processes.

    Returns:
        The number.
    """
    threads = max(1, len(os.sched_getaffinity(0)) // processes)
    speed = measure_speed(config, threads)
    minutes = args.minutes or preset.minutes / (processes * threads)
    after = len(folder) * speed.mask / processes + _JUDGED_PER_IMAGE * 0.1 * len(folder)
    seconds = minutes * 60 - _STARTS - after * _TOGETHER
    length = preset.length(seconds, speed.iteration * _TOGETHER)
    said = (length * speed.iteration * _TOGETHER + after * _TOGETHER + _STARTS) / 60
    say(
        f'{speed.iteration:.2f} s for an iteration and {speed.mask:.2f} s for a mask of one '
        f'process here: about {said:.0f} minutes'
    )
    return length


def _without_weights(text: str, preset: Preset) -> Config:
    """A config as files and speed need it, before its weights are there."""
    random = {'vit_weights': False, 'cnn_weights': False}
    with tempfile.TemporaryDirectory() as place:
        file = Path(place, CONFIG_FILE)
        file.write_text(text, encoding='utf-8')
        return load_config(str(file), options={} if preset.backbone == 'scratch' else random)


def inspect(out: Path, config: Config, images: Path) -> None:
    """Looks at images and tags.

    Args:
        out: Folder of it all.
        config: What is trained.
        images: Folder of the images.

    Raises:
        DataError: If a file cannot be read.
    """
    file = out / 'inspection' / INSPECTION_FILE
    say(f'looking at the images; see {file.parent}')
    found = inspect_data(config, file.parent, ('train', 'val'))
    print('\n' + '\n'.join(inspection_text(found)), flush=True)
    bad = [os.path.relpath(one['file'], images) for one in found['files']['unreadable']]
    if bad:
        raise DataError(
            f'--images: expected files that can be read, received {len(bad)} that cannot: '
            f'{listed(bad, _SHOWN)}; mend or remove them and their tags, see {file} for the reasons'
        )


def judge(out: Path, checkpoint: Path, masks: str | None) -> None:
    """Judges the training by images that were held out, unless an earlier call has.

    Args:
        out: Folder of it all.
        checkpoint: The trained network.
        masks: Folder of masks, None without.
    """
    config: Config = load_config(str(out / CONFIG_FILE))
    file = checkpoint.parent / JUDGEMENT_FILE
    if not file.is_file() or masks or file.stat().st_mtime < checkpoint.stat().st_mtime:
        judge_run(config, str(checkpoint), checkpoint.parent, masks=masks)
    found = json.loads(file.read_text(encoding='utf-8'))
    signals = found['signals']
    images = found['images']
    print(
        f'\nsegmentation among all classes on {images["count"]} images '
        f'({images["trained_on"]} of them trained on): tags with precision '
        f'{_percent(signals["tag_precision"])} and recall {_percent(signals["tag_recall"])}, '
        f'agreement with the mirror image {_percent(signals["flip_agreement"])} mIoU',
        flush=True,
    )
    if found['masks']:
        print('\n' + '\n'.join(mask_lines(found['masks'])), flush=True)
    shutil.copyfile(out / 'inspection' / INSPECTION_FILE, checkpoint.parent / INSPECTION_FILE)


def report(out: Path, run: Path) -> Path:
    """Writes the page about the training, unless an earlier call has since it was judged.

    Args:
        out: Folder of it all.
        run: Folder of the training.

    Returns:
        The page.
    """
    page = out / 'report.html'
    if page.is_file() and page.stat().st_mtime > (run / JUDGEMENT_FILE).stat().st_mtime:
        return page
    return write_report(run, page)


def _percent(value: float | None) -> str:
    return '-' if value is None else f'{value:.1f}'


def say(text: str) -> None:
    """Prints a line about the work."""
    print(f'label_images: {text}', flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    """Labels as the command line says."""
    args = parse_args(arguments)
    folder = TaggedFolder(args.images, args.tags, args.classes, args.unlisted, args.list)
    prepare(args, folder)
    stages = read_stages(args.out / STAGES_FILE, args.out)
    noted = json.loads((args.out / SETTINGS_FILE).read_text(encoding='utf-8'))
    StageRunner(stages, args.out, TOOLS, noted['processes']).run(list(stages))
    checkpoint = stages['train'].output
    judge(args.out, checkpoint, args.masks)
    page = report(args.out, checkpoint.parent)
    empty, faint = find_empty_masks(folder, stages['masks'].output)
    say(
        f'{len(folder)} masks in {stages["masks"].output}, the page {page}, the most doubtful '
        f'images first in {checkpoint.parent / REVIEW_FILE}'
    )
    tagged = int(folder.tags_of.any(axis=1).sum())
    for names, what, file in (
        (empty, 'are all background', EMPTY_FILE),
        (faint, 'have next to nothing of their tags, so that it is a guess', FAINT_FILE),
    ):
        share = 100 * len(names) / max(tagged, 1)
        shown = f': {listed(names, _SHOWN)}; see {args.out / file}' if names else ''
        say(f'{len(names)} of {tagged} images with tags ({share:.1f} %) {what}{shown}')


if __name__ == '__main__':
    run_tool(main, 'finished stages and what the last one has saved; the same command goes on')
