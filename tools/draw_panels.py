"""Draws image, masks, CAMs and segmentation: python tools/draw_panels.py CONFIG CHECKPOINT."""

from __future__ import annotations

import argparse
import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config, DictAction
from mmengine.dataset import Compose, pseudo_collate
from PIL import Image

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.datasets import spread_indices
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.drawn_model import (
    load_drawn_model,
    predict_item,
    read_image,
    scored_cam_threshold,
)
from wsss_plugin.engine.inner_maps import feature_maps, filtered_labels
from wsss_plugin.engine.run_config import load_config
from wsss_plugin.engine.sample_scores import sample_scores
from wsss_plugin.engine.trained_model import scored_dataset
from wsss_plugin.visualization import contact_sheet, inner_panel, panel_from_sample, panel_of_models
from wsss_plugin.whole_file import whole_file

SHEET = 24  # more panels are hard to look at in one picture, and all are kept in memory for it


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line.

    Args:
        arguments: Default: those of the process.

    Returns:
        One attribute per argument.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument(
        '--out',
        default='panels',
        metavar='DIR',
        help=f'folder for the pictures; its sheet.png shows the first {SHEET} in one',
    )
    parser.add_argument('--num', type=int, default=8, help='images, spread over the test set')
    parser.add_argument('--images', nargs='+', metavar='FILE', help='draw these instead')
    parser.add_argument(
        '--tags', nargs='+', metavar='CLASS', help='classes in --images; CAMs are drawn with tags'
    )
    parser.add_argument(
        '--compare',
        nargs=3,
        action='append',
        default=[],
        metavar=('NAME', 'CONFIG', 'CHECKPOINT'),
        help='draw another model on the same images; may be repeated',
    )
    parser.add_argument('--name', default='first', help='name of the first model with --compare')
    parser.add_argument(
        '--hide-images', action='store_true', help='draw on grey and leave the images out'
    )
    parser.add_argument(
        '--features',
        nargs='+',
        default=[],
        metavar='NAME',
        help='draw these maps of the backbone in place of CAMs and segmentations, for example '
        "'class_to_patch.mean clusters'",
    )
    parser.add_argument(
        '--filters',
        action='store_true',
        help='draw what filters take out of pseudo labels in place of CAMs and segmentations',
    )
    parser.add_argument('--cam-threshold', type=float, help="default: the evaluator's, else 0.5")
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='key=value pairs for the config'
    )
    args = parser.parse_args(arguments)
    if args.num < 1:
        parser.error(f'expected --num >= 1, received {args.num}')
    names = [args.name, *(name for name, *_ in args.compare)]
    if len(names) != len(set(names)):
        parser.error(f'expected a different name for each model, received {names}')
    if (args.features or args.filters) and args.compare:
        parser.error('expected --features and --filters of one model, received --compare')
    if args.tags and not args.images:
        parser.error('expected --images with --tags; images of the test set have their own tags')
    return args


def load_models(
    args: argparse.Namespace, config: Config
) -> tuple[dict[str, torch.nn.Module], dict[str, Any]]:
    """Loads the first model and those of ``--compare``, which see what its test pipeline makes.

    Args:
        args: The command line.
        config: The config of the first model; changed in place.

    Returns:
        Models by name, and names and colours of their classes.

    Raises:
        ValueError: If the models have different classes.
    """
    model, meta = load_drawn_model(config, args.checkpoint)
    models = {args.name: model}
    classes = list(meta['classes'])
    for name, config_file, checkpoint in args.compare:
        models[name], other = load_drawn_model(load_config(config_file), checkpoint)
        if list(other['classes']) != classes:
            raise ValueError(
                f'expected models of the same classes in the same order for --compare, received '
                f'{", ".join(other["classes"])} in {checkpoint} and {", ".join(classes)} in '
                f'{args.checkpoint}; compare models that were trained on the same classes'
            )
    return models, meta


def dataset_items(config: Config, meta: Mapping[str, Any], num: int) -> Iterator[dict]:
    """Packed images of the test set, spread evenly over it.

    Args:
        config: The config.
        meta: Names of the classes that the models know.
        num: Number of images at most.

    Yields:
        ``inputs`` and ``data_samples`` of one image.
    """
    dataset = scored_dataset(config, meta)
    for index in spread_indices(len(dataset), num):
        yield dataset[index]


def image_items(
    config: Config, images: Sequence[str], tags: Sequence[str] | None, classes: Sequence[str]
) -> Iterator[dict]:
    """Packed images of the user.

    Args:
        config: The config, whose test pipeline is used without its masks.
        images: Image files.
        tags: Names of the classes in every image, if known.
        classes: Names of the classes, background first.

    Yields:
        ``inputs`` and ``data_samples`` of one image.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If a tag is no foreground class.
    """
    pipeline = config.test_dataloader.dataset.pipeline
    transform = Compose([step for step in pipeline if 'LoadAnnotations' not in str(step['type'])])
    gt_tags = None if tags is None else _multi_hot(tags, classes)
    for path in images:
        if not Path(path).is_file():
            raise FileNotFoundError(f'expected an image file, received {path}; check --images')
        item = transform({'img_path': path, 'reduce_zero_label': False, 'seg_fields': []})
        if gt_tags is not None:
            item['data_samples'].gt_tags = gt_tags.clone()
        yield item


def _multi_hot(tags: Sequence[str], classes: Sequence[str]) -> torch.Tensor:
    foreground = list(classes[1:])
    unknown = [tag for tag in tags if tag not in foreground]
    if unknown:
        raise ValueError(
            f'expected --tags among {", ".join(foreground)}, received {", ".join(unknown)}'
        )
    return torch.tensor([float(name in tags) for name in foreground])


def draw(
    models: Mapping[str, torch.nn.Module],
    items: Iterable[dict],
    meta: Mapping[str, Any],
    threshold: float,
    show_image: bool,
) -> Iterator[tuple[str, np.ndarray]]:
    """Draws what the models make of every image.

    Args:
        models: Models by name, the one that the pictures are about first.
        items: ``inputs`` and ``data_samples`` of each image.
        meta: Names and, perhaps, colours of the classes.
        threshold: Scores of a CAM up to it are background.
        show_image: Whether the image itself is drawn.

    Yields:
        The image's file and its panel.
    """
    for item in items:
        samples = {name: predict_item(model, item) for name, model in models.items()}
        sample = next(iter(samples.values()))
        image = shown_image(sample.img_path, show_image)
        title, classes = Path(sample.img_path).stem, meta['classes']
        look = (classes, meta.get('palette'), threshold, title, show_image)
        scores = {
            name: sample_scores(one, len(classes), threshold) for name, one in samples.items()
        }
        if len(models) > 1:
            yield sample.img_path, panel_of_models(image, samples, *look, scores)
        else:
            yield sample.img_path, panel_from_sample(image, sample, *look, *scores.values())


def draw_inner(
    model: torch.nn.Module,
    items: Iterable[dict],
    meta: Mapping[str, Any],
    args: argparse.Namespace,
    threshold: float,
    max_iters: int,
) -> Iterator[tuple[str, np.ndarray]]:
    """Draws what the parts of a model see of every image.

    Args:
        model: The model.
        items: ``inputs`` and ``data_samples``, with tags, of each image.
        meta: Names and, perhaps, colours of the classes.
        args: The command line.
        threshold: Lines surround what is above it.
        max_iters: Length of the training.

    Yields:
        The image's file and its panel.

    Raises:
        KeyError: If an image has no tags.
    """
    for item in items:
        sample = item['data_samples']
        if 'gt_tags' not in sample:
            raise KeyError(
                f'expected tags of {sample.img_path} for --features and --filters, received none; '
                'name the classes by --tags'
            )
        batch = copy.deepcopy(pseudo_collate([item]))
        features = feature_maps(model, batch, args.features)
        labels = filtered_labels(model, batch, max_iters) if args.filters else {}
        truth = sample.gt_sem_seg.data[0].numpy() if 'gt_sem_seg' in sample else None
        yield (
            sample.img_path,
            inner_panel(
                shown_image(sample.img_path, not args.hide_images),
                {name: maps.cpu().numpy() for name, maps in features.items()},
                {name: label.cpu().numpy() for name, label in labels.items()},
                sample.gt_tags.numpy(),
                meta['classes'],
                meta.get('palette'),
                truth,
                threshold,
                Path(sample.img_path).stem,
                not args.hide_images,
            ),
        )


def shown_image(path: str, show_image: bool) -> np.ndarray:
    """The image that is drawn on.

    Args:
        path: Its file.
        show_image: Whether it is shown; grey of its size otherwise.

    Returns:
        RGB image (H, W, 3), uint8.
    """
    image = read_image(path)
    return image if show_image else np.full_like(image, 128)


def write(panels: Iterable[tuple[str, np.ndarray]], out: Path, total: int) -> int:
    """Writes every panel, and the first ones in one sheet.

    Args:
        panels: Image files with their panels.
        out: Folder of the pictures.
        total: Number of panels, for the progress.

    Returns:
        Number of pictures written, the sheet included.
    """
    out.mkdir(parents=True, exist_ok=True)
    number, shown = 0, []
    for number, (file, panel) in enumerate(panels, start=1):
        _save(panel, out / f'{number - 1:03d}_{Path(file).stem}.png')
        if len(shown) < SHEET:
            shown.append(panel)
        print(f'[{number}/{total}] {file}', flush=True)
    _save(contact_sheet(shown), out / 'sheet.png')
    print(f'sheet: {out / "sheet.png"}')
    return number + 1


def _save(picture: np.ndarray, path: Path) -> None:
    with whole_file(path) as file:
        Image.fromarray(picture).save(file, format='PNG')


def main(arguments: Sequence[str] | None = None) -> int:
    """Draws as the command line says.

    Args:
        arguments: Default: those of the process.

    Returns:
        Number of pictures written, the sheet included.
    """
    args = parse_args(arguments)
    config = load_config(args.config, options=args.cfg_options)
    models, meta = load_models(args, config)
    threshold = scored_cam_threshold(config) if args.cam_threshold is None else args.cam_threshold
    if args.images:
        items = image_items(config, args.images, args.tags, meta['classes'])
    else:
        items = dataset_items(config, meta, args.num)
    if args.features or args.filters:
        model, length = models[args.name], config.train_cfg.max_iters
        panels = draw_inner(model, items, meta, args, threshold, length)
    else:
        panels = draw(models, items, meta, threshold, not args.hide_images)
    pictures = write(panels, Path(args.out), len(args.images) if args.images else args.num)
    print(f'pictures={pictures}')
    return pictures


if __name__ == '__main__':
    run_tool(main, 'the pictures so far')
