"""A judgement for the eye."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wsss_plugin.errors import cut

_TITLES = {
    'tag_precision': 'tags: precision of the segmentation among all classes',
    'tag_recall': 'tags: recall of the segmentation among all classes',
    'tag_f1': 'tags: F1 of the segmentation among all classes',
    'source_agreement': 'mIoU of segmentation and labels',
    'flip_agreement': 'mIoU of an image and its mirror image',
    'undecided': 'pixels without label',
    'all_background': 'images with tags that are all background',
    'full_frame': 'images that one class fills',
}
_COLUMNS = {
    'images': 'images',
    'tag_precision': 'precision',
    'tag_recall': 'recall',
    'source_iou': 'labels IoU',
    'flip_iou': 'mirror IoU',
    'undecided': 'undecided',
    'all_background': 'all background',
    'full_frame': 'full frame',
}


def judgement_text(found: Mapping[str, Any]) -> str:
    """The judgement in lines and two tables in Markdown, in percent.

    Args:
        found: What :func:`judge_run` gives.

    Returns:
        The text.
    """
    images = found['images']
    lines = [f'{images["count"]} images of {images["split"]}, no mask used', '']
    if images['trained_on']:
        lines[0] += f'; {images["trained_on"]} of them were trained on, which flatters the tags'
    rows = [
        [_TITLES[name], _cell(value), 'yes' if name in found['recommended'] else 'no']
        for name, value in found['signals'].items()
    ]
    lines += _markdown(['signal', '%', 'recommended'], rows)
    classes = [
        [cut(row['class'], 40).replace('|', '\\|'), *(_cell(row[name]) for name in _COLUMNS)]
        for row in found['by_class']
    ]
    lines += ['', *_markdown(['class', *_COLUMNS.values()], classes)]
    if found['masks']:
        lines += ['', *mask_lines(found['masks'])]
    return '\n'.join(lines)


def mask_lines(masks: Mapping[str, Any]) -> list[str]:
    """The scores on masks, and the thresholds that these picked, in Markdown and in percent.

    Args:
        masks: What :func:`judge_run` gives as ``masks``.

    Returns:
        Lines of text.
    """
    rows = [
        [name, _cell(masks[name]['mIoU']), f'{masks[name]["low"]:.1f}-{masks[name]["high"]:.1f}']
        for name in ('segmentation', 'restricted', 'labels')
        if name in masks
    ]
    lines = _markdown([f'by {masks["count"]} masks', 'mIoU', '95 % interval'], rows)
    chosen = masks['thresholds']
    if chosen:
        lines += [
            '',
            f'{chosen["said"]}: {_cell(chosen["out_of_fold_mIoU"])} mIoU where labelled, '
            f'{chosen["out_of_fold_labelled"]:.1f} % labelled, out of fold',
        ]
    return lines


def _cell(value: float | None) -> str:
    if value is None:
        return '-'
    return str(value) if isinstance(value, int) else f'{value:.1f}'


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ['---', *['---:'] * (len(head) - 1)], *rows]
    return ['| ' + ' | '.join(line) + ' |' for line in lines]
