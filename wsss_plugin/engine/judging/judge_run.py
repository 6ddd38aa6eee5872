"""Judges a trained network by tags, and by masks where there are some."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.utils import track_iter_progress

from wsss_plugin.engine.checkpoint_classes import check_classes
from wsss_plugin.engine.judging.image_judgement import judge_image
from wsss_plugin.engine.judging.judged_images import JudgedImages, judged_images
from wsss_plugin.engine.judging.judgement import Judgement
from wsss_plugin.engine.judging.map_source import MapSource
from wsss_plugin.engine.judging.mask_scores import MaskScores
from wsss_plugin.engine.judging.masked_images import MaskedImages
from wsss_plugin.engine.judging.review import write_review
from wsss_plugin.engine.run_config import use_final_threshold
from wsss_plugin.whole_file import write_json

JUDGEMENT_FILE = 'judgement.json'
REVIEW_FILE = 'review.csv'
# Those whose rank correlation with true mIoU docs/judging.md has at 0.5 or more.
RECOMMENDED = ('tag_recall', 'tag_f1', 'source_agreement', 'full_frame')
_LOWS = (0.02, 0.05, 0.1, 0.2, 0.3)
_HIGHS = (0.1, 0.2, 0.3, 0.45, 0.6)


def judge_run(
    config: Config,
    checkpoint: str,
    out: str | Path | None = None,
    split: str | None = None,
    list_file: str | None = None,
    share: float = 0.1,
    number: int | None = None,
    labels: str | None = None,
    label_dir: str | None = None,
    masks: str | Path | None = None,
    pick_thresholds: bool = True,
    min_share: float = 0.005,
    seed: int = 0,
) -> dict[str, Any]:
    """Judges a checkpoint by what needs no mask; masks, where there are some, are used beside it.

    Args:
        config: Config of the training; changed in place to the threshold at which that ends.
        checkpoint: The checkpoint file.
        out: Folder for ``judgement.json`` and ``review.csv``; None writes nothing.
        split: 'train', 'val' or 'test', whose images are judged; None chooses as
            :func:`judged_images`.
        list_file: Names of the images to judge, one per line.
        share: Share of the training images to judge where there are no others.
        number: Number of images at most, spread over them; of masks as well.
        labels: Name of the label maker whose labels are the second source.
        label_dir: Folder of labels that is the second source in its place.
        masks: Folder of ``<name>.png`` of 30 images of the split or more, with the data set's
            numbers; masks of images that are not judged count too.
        pick_thresholds: Whether the masks choose low and high thresholds of the label maker.
        min_share: Share of the pixels that a class needs to be shown.
        seed: Seed of the share, the folds and the resampled images.

    Returns:
        What ``judgement.json`` has.

    Raises:
        ConfigError: If there is no image to judge.
        DataError: If there are fewer than 30 masks, or one does not fit its image.
        MissingFileError: If the folder of masks or a file does not exist.
        ValueError: If the checkpoint was trained for other classes.
    """
    use_final_threshold(config)
    chosen = judged_images(config, split, list_file, share, number, seed)
    masked = None if masks is None else MaskedImages(config, chosen.split, masks, number)
    source = MapSource(config, checkpoint, labels, label_dir)
    meta = {'dataset_meta': source.dataset_meta}
    check_classes({'meta': meta}, {'classes': chosen.images.classes}, 'the images to judge')
    pairs = threshold_pairs(source) if masked is not None and pick_thresholds else []
    scores = MaskScores(source.num_classes, pairs)
    found = []
    names = dict.fromkeys((*chosen.names, *(masked.names if masked else ())))
    judged = set(chosen.names)
    for name in track_iter_progress(list(names)):
        images = chosen.images if name in judged or masked is None else masked.images
        maps = source.maps(images, name)
        if name in judged:
            tags = images.tags(name)
            found.append(judge_image(name, maps, tags, source.num_classes, min_share))
        if masked is not None and name in masked.files:
            swept = source.at_thresholds(images, name, pairs) if pairs else []
            scores.add(name, maps, masked.truth(name), swept)
    judgement = Judgement(found, chosen.images.classes[1:])
    result = _as_json(judgement, chosen, source, checkpoint, list_file)
    result['masks'] = None if masked is None else scores.as_json(seed=seed)
    if out is not None:
        write_json(Path(out, JUDGEMENT_FILE), result)
        write_review(Path(out, REVIEW_FILE), found, judgement.classes)
    return result


def threshold_pairs(source: MapSource) -> list[tuple[float, float]]:
    """The low and high thresholds that masks can choose from, the config's own among them.

    Args:
        source: Its label maker's thresholds are the config's.

    Returns:
        Pairs, none without a label maker that takes one high threshold.
    """
    maker = source.cam_labels
    if maker is None or maker.uses_crf or isinstance(maker.high, Sequence):
        return []
    lows, highs = sorted({*_LOWS, maker.low}), sorted({*_HIGHS, float(maker.high)})
    return [(low, high) for low, high in product(lows, highs) if low <= high]


def _as_json(
    judgement: Judgement,
    chosen: JudgedImages,
    source: MapSource,
    checkpoint: str,
    list_file: str | None,
) -> dict[str, Any]:
    return {
        'version': 1,
        'checkpoint': str(checkpoint),
        'classes': list(chosen.images.classes),
        'images': {
            'count': len(chosen.names),
            'split': chosen.split,
            'list': list_file,
            'trained_on': chosen.trained_on,
        },
        'sources': {'segmentation': source.segmentation, 'labels': source.labels},
        'signals': judgement.signals(),
        'recommended': list(RECOMMENDED),
        'by_class': judgement.by_class(),
        'review': REVIEW_FILE,
    }
