"""An inspection in a few lines, for the start of a training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.model import is_model_wrapper

from wsss_plugin.engine.inspection.loss_plan import loss_plan
from wsss_plugin.engine.inspection.split_overlap import split_overlap
from wsss_plugin.engine.inspection.tag_statistics import tag_statistics
from wsss_plugin.engine.inspection.tagged_split import TaggedSplit, read_split, tag_datasets
from wsss_plugin.errors import cut, listed

_SHOWN = 4


def short_form(splits: Sequence[TaggedSplit], losses: Sequence[str] = ()) -> list[str]:
    """Images and tags of each split, what tags cannot tell apart, overlap, and the losses.

    No pixel is read.

    Args:
        splits: The splits, the one that is trained on first.
        losses: Lines of :func:`loss_plan`.

    Returns:
        Lines of text.

    >>> split = TaggedSplit('train', ('cat', 'dog'), ('a', 'b'), ('a', 'b'), ((0,), (0, 1)),
    ...     (None, None), ())
    >>> short_form([split])
    ['train: 2 images, 1.5 tags each; images by class: dog 1 ... cat 2']
    """
    lines = [line for split in splits for line in _of_split(split)]
    for pair in split_overlap(splits):
        first, second = pair['splits']
        lines.append(
            f'{len(pair["same_file"])} images of {first} are also in {second}: '
            f'{listed(pair["same_file"], 3)}'
        )
    return [*lines, *losses]


def training_summary(runner: Any) -> list[str]:
    """The short form of the training that a runner is about to do.

    Args:
        runner: MMEngine's runner, whose training loop is built.

    Returns:
        Lines of text, none where its data sets have no tags and its model no terms.
    """
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    losses = loss_plan(model, runner.hooks, runner.max_iters)
    loaders = {'train': runner.train_dataloader}
    if runner.val_loop is not None:
        loaders['val'] = runner.val_dataloader
    splits = [
        read_split(name if number == 0 else f'{name} {number + 1}', dataset)
        for name, loader in loaders.items()
        for number, dataset in enumerate(tag_datasets(loader.dataset))
    ]
    return short_form(splits, losses)


def _of_split(split: TaggedSplit) -> list[str]:
    found = tag_statistics(split)
    text = f'{split.name}: {found["images"]} images, {found["tags_per_image"]:.1f} tags each'
    if found['background_only']:
        text += f', {found["background_only"]} of background only'
    if found['unknown']:
        text += f', {found["unknown"]} without tags'
    lines = [f'{text}; images by class: {_range(found["by_class"])}']
    if found['never']:
        lines.append(f'{split.name}: no image is tagged {listed(found["never"], _SHOWN)}')
    if found['always']:
        lines.append(
            f'{split.name}: every image is tagged {listed(found["always"], _SHOWN)}, so nothing '
            'shows what that is not; add images without it'
        )
    groups = [' + '.join(cut(name, 30) for name in group) for group in found['always_together']]
    if groups:
        lines.append(
            f'{split.name}: tags cannot tell apart what always occurs together: '
            f'{listed(groups, _SHOWN)}'
        )
    return lines


def _range(counts: dict[str, int]) -> str:
    """Few classes in full, of many the rarest and the commonest ones."""
    ordered = sorted(counts, key=counts.__getitem__)
    shown = [f'{cut(name, 30)} {counts[name]}' for name in ordered]
    if len(shown) <= 2:
        return ' ... '.join(shown)
    if len(shown) <= 2 * _SHOWN:
        return ', '.join(shown)
    return f'{", ".join(shown[:_SHOWN])} ... {", ".join(shown[-2:])}'
