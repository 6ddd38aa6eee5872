"""Scores pseudo labels by CAM and thresholds: python tools/score_labels.py CONFIG CHECKPOINT.

Labels that are exported already: python tools/score_labels.py CONFIG --label-dir DIR.

The images are those of test_dataloader. To score training images, which tunes nothing on the
validation split but needs their masks, add the list of them that the data set takes:

    VOCTagDataset and ShapesTagDataset (configs of VOC and of the shapes)
        --cfg-options test_dataloader.dataset.ann_file=ImageSets/Segmentation/train.txt
    ImageTagDataset (configs/voc_animals)
        --cfg-options test_dataloader.dataset.list_file=ImageSets/Segmentation/train.txt
    COCOTagDataset (configs of COCO), with masks that tools/convert_coco.py makes
        --cfg-options test_dataloader.dataset.ann_file=annotations/instances_train2014.json
        test_dataloader.dataset.data_prefix.img_path=train2014
        test_dataloader.dataset.data_prefix.seg_map_path=masks/train2014
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.config import Config, DictAction
from mmengine.dataset import pseudo_collate
from mmengine.utils import track_iter_progress
from mmseg.structures import SegDataSample
from torch import Tensor

import wsss_plugin  # noqa: F401  (fills the registries)
from wsss_plugin.datasets import spread_indices
from wsss_plugin.engine.command_line import run_tool
from wsss_plugin.engine.label_export import (
    REFINEMENTS,
    ImageCAMs,
    LabelRefinement,
    load_segmentor,
    named_cams,
    score_stored_labels,
)
from wsss_plugin.engine.run_config import load_config, use_final_threshold
from wsss_plugin.engine.trained_model import scored_dataset
from wsss_plugin.evaluation import LabelScores
from wsss_plugin.models.segmentors import WeakSegmentor
from wsss_plugin.whole_file import write_json

COLUMNS = {
    'mIoU': 'mIoU where labelled',
    'labelled': 'labelled',
    'foreground_right': 'foreground right',
    'foreground_as_background': 'foreground as background',
    'background_as_foreground': 'background as foreground',
}
STORED = {
    'mIoU': 'mIoU where labelled',
    'over_activation': 'OA',
    'false_negative': 'FN',
    **{name: title for name, title in COLUMNS.items() if name != 'mIoU'},
}
_NEEDED = {
    'gt_sem_seg': ('a mask', 'put LoadAnnotations into test_dataloader.dataset.pipeline'),
    'gt_tags': ('the tags', 'add its annotation or remove it from the list of images'),
}


def parse_args(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', nargs='?', help='checkpoint file')
    parser.add_argument(
        '--label-dir', metavar='DIR', help='score the labels of this folder, with no checkpoint'
    )
    parser.add_argument('--num', type=int, default=100, help='images, spread over the list')
    parser.add_argument(
        '--cams',
        nargs='+',
        metavar='NAME[+NAME]',
        help="CAMs that make labels, '+' for the average, 'decoder' for what the decode head has "
        'learnt; default: each CAM alone, then all',
    )
    parser.add_argument(
        '--labels', metavar='NAME', help="label maker; default: the config's, if it has only one"
    )
    parser.add_argument('--low', nargs='+', type=float, help="default: the config's")
    parser.add_argument(
        '--high', nargs='+', type=float, help="default: the config's at the end of training"
    )
    parser.add_argument('--out', metavar='FILE', help='JSON file for the scores')
    parser.add_argument(
        '--refine',
        choices=REFINEMENTS,
        help='default: what the label maker does; labels of a CRF are scored at the original size',
    )
    parser.add_argument(
        '--crf-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='settings of the dense CRF: num_iter, gaussian, bilateral; default: the published',
    )
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, help='key=value pairs for the config'
    )
    args = parser.parse_args(arguments)
    if args.num < 1:
        parser.error(f'expected --num >= 1, received {args.num}')
    if (args.checkpoint is None) == (args.label_dir is None):
        parser.error('expected a checkpoint or --label-dir, received both or none')
    by_cams = [
        name for name in ('cams', 'labels', 'low', 'high') if getattr(args, name) is not None
    ]
    if args.label_dir and by_cams:
        parser.error(f'expected --label-dir or --{by_cams[0]}, received both: labels are made')
    return args


def grid(
    cams: Iterable[str], lows: Sequence[float], highs: Sequence[float]
) -> list[tuple[str, float, float]]:
    """The combinations that make labels.

    Args:
        cams: Texts of the CAMs.
        lows: Low thresholds.
        highs: High thresholds.

    Returns:
        CAMs, low and high threshold of each, where the low one is not above the high one.

    Raises:
        ValueError: If there is none.
    """
    chosen = [key for key in product(cams, lows, highs) if key[1] <= key[2]]
    if not chosen:
        raise ValueError(
            f'expected a low threshold that is not above a high one, received --low {list(lows)} '
            f'and --high {list(highs)}; lower the one or raise the other'
        )
    return chosen


def items(config: Config, meta: Mapping[str, Any], num: int) -> Iterator[dict]:
    """Images with masks, spread evenly over the list.

    Args:
        config: The config.
        meta: ``dataset_meta`` of the checkpoint.
        num: Number of images at most.

    Yields:
        ``inputs`` and ``data_samples`` of one image.
    """
    dataset = scored_dataset(config, meta)
    for index in track_iter_progress(spread_indices(len(dataset), num)):
        yield dataset[index]


def require_truth(sample: SegDataSample) -> None:
    """Checks that an image can be scored.

    Args:
        sample: The image's sample.

    Raises:
        ValueError: If it has no mask or no tags; names the image.
    """
    for field, (what, remedy) in _NEEDED.items():
        if field not in sample:
            raise ValueError(
                f'{sample.get("img_path")}: expected {what} of every image to score its pseudo '
                f'label, received none; {remedy}'
            )


def at_original_size(label: np.ndarray, sample: SegDataSample) -> tuple[Tensor, Tensor]:
    """A pseudo label of the original size of an image and the true mask.

    Args:
        label: Pseudo label (H, W).
        sample: The image's sample.

    Returns:
        Pseudo label and mask (H, W).
    """
    mask = sample.gt_sem_seg.data
    truth = F.interpolate(mask[None].float(), size=label.shape, mode='nearest')[0, 0].long()
    return torch.from_numpy(label.astype(np.int64)).to(truth.device), truth


def inside(label: Tensor, sample: SegDataSample) -> tuple[Tensor, Tensor]:
    """A pseudo label and the true mask in the image's own area, without padding.

    Args:
        label: Pseudo label (H, W) of the image, perhaps padded at the right and at the bottom.
        sample: The image's sample.

    Returns:
        Pseudo label and mask (h, w) at the size at which the image enters the model.
    """
    height, width = sample.img_shape[:2]
    mask = sample.gt_sem_seg.data[None].float()
    truth = F.interpolate(mask, size=(height, width), mode='nearest')[0, 0].long()
    return label[:height, :width], truth


@torch.no_grad()
def score(
    model: WeakSegmentor,
    labels: str,
    config: Config,
    args: argparse.Namespace,
) -> dict[tuple[str, float, float], dict[str, float]]:
    """Scores every combination of CAMs and thresholds.

    Args:
        model: The segmentor.
        labels: Name of the label maker.
        config: The config.
        args: The command line.

    Returns:
        Scores by CAMs, low and high threshold.
    """
    each_and_all = (*model.cam_names, '+'.join(model.cam_names))
    cams_by_text = named_cams(args.cams or each_and_all, tuple(model.cams))
    maker = model.labels[labels]
    thresholds = maker.thresholds or model.thresholds
    needed = tuple(dict.fromkeys(name for names in cams_by_text.values() for name in names))
    lows = args.low or [thresholds.low]
    highs = args.high or [thresholds.high]
    combinations = grid(cams_by_text, lows, highs)
    classes, ignore = model.num_classes, maker.ignore_index
    scores = {key: LabelScores(classes, ignore) for key in combinations}
    refinement = LabelRefinement(maker, args.refine, args.crf_options)
    for item in items(config, model.dataset_meta, args.num):
        data = model.data_preprocessor(pseudo_collate([item]), False)
        image, (sample,) = data['inputs'], data['data_samples']
        require_truth(sample)
        batch = model.batch(image, [sample])
        batch.cams(needed)
        for text, low, high in combinations:
            names = cams_by_text[text]
            if refinement.crf:
                label = refinement.label(ImageCAMs(model, names).present(batch), low, high)
                scores[text, low, high].add(*at_original_size(label, sample))
            else:
                label = maker.make(batch, names, low, high)
                scores[text, low, high].add(*inside(label[0], sample))
    return {key: value.summary() for key, value in scores.items()}


def table(scores: dict[tuple[str, float, float], dict[str, float]]) -> str:
    """The scores in Markdown.

    Args:
        scores: Scores by CAMs, low and high threshold.

    Returns:
        The text.
    """
    rows = [
        [text, f'{low:g}', f'{high:g}', *_cells(values, COLUMNS)]
        for (text, low, high), values in scores.items()
    ]
    return _markdown(['CAM', 'low', 'high', *COLUMNS.values()], rows)


def stored_table(folder: str, values: Mapping[str, float]) -> str:
    """The scores of a folder in Markdown.

    Args:
        folder: The folder.
        values: Its scores.

    Returns:
        The text.
    """
    return _markdown(['labels', *STORED.values()], [[folder, *_cells(values, STORED)]])


def _cells(values: Mapping[str, float], columns: Iterable[str]) -> list[str]:
    return ['' if math.isnan(values[name]) else f'{values[name]:.1f}' for name in columns]


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ['---', *['---:'] * (len(head) - 1)], *rows]
    return '\n'.join('| ' + ' | '.join(line) + ' |' for line in lines)


def rows(scores: dict[tuple[str, float, float], dict[str, float]]) -> list[dict[str, Any]]:
    """The scores as values for JSON.

    Args:
        scores: Scores by CAMs, low and high threshold.

    Returns:
        One mapping for each; None in place of NaN.
    """
    return [
        {'cams': text, 'low': low, 'high': high, **_for_json(values)}
        for (text, low, high), values in scores.items()
    ]


def _for_json(values: Mapping[str, float]) -> dict[str, Any]:
    return {name: None if math.isnan(value) else value for name, value in values.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Scores as the command line says."""
    args = parse_args(arguments)
    config = load_config(args.config, options=args.cfg_options)
    if args.label_dir:
        values = score_stored_labels(config, args.label_dir, args.num)
        text, found = stored_table(args.label_dir, values), [_for_json(values)]
    else:
        use_final_threshold(config)
        model, labels = load_segmentor(config, args.checkpoint, args.labels)
        scores = score(model, labels, config, args)
        text, found = table(scores), rows(scores)
    print('\n' + text)
    if args.out is not None:
        write_json(args.out, found)


if __name__ == '__main__':
    run_tool(main, 'nothing was written')
