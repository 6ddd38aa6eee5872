"""Judges trained networks by tags alone, and by a few masks."""

from wsss_plugin.engine.judging.hold_out import hold_out
from wsss_plugin.engine.judging.image_judgement import ImageJudgement, judge_image
from wsss_plugin.engine.judging.image_maps import ImageMaps
from wsss_plugin.engine.judging.judge_run import (
    JUDGEMENT_FILE,
    RECOMMENDED,
    REVIEW_FILE,
    judge_run,
)
from wsss_plugin.engine.judging.judged_images import JudgedImages, judged_images
from wsss_plugin.engine.judging.judgement import SIGNALS, Judgement
from wsss_plugin.engine.judging.judgement_text import judgement_text, mask_lines
from wsss_plugin.engine.judging.map_source import MapSource
from wsss_plugin.engine.judging.mask_scores import MaskScores
from wsss_plugin.engine.judging.masked_images import FEWEST_MASKS, MaskedImages
from wsss_plugin.engine.judging.review import REVIEW_COLUMNS, write_review
from wsss_plugin.engine.judging.signal_ranks import (
    ENOUGH,
    rank_correlations,
    read_judgements,
    true_miou,
)
from wsss_plugin.engine.judging.threshold_choice import ThresholdChoice, choose_thresholds

__all__ = [
    'ENOUGH',
    'FEWEST_MASKS',
    'JUDGEMENT_FILE',
    'RECOMMENDED',
    'REVIEW_COLUMNS',
    'REVIEW_FILE',
    'SIGNALS',
    'ImageJudgement',
    'ImageMaps',
    'JudgedImages',
    'Judgement',
    'MapSource',
    'MaskScores',
    'MaskedImages',
    'ThresholdChoice',
    'choose_thresholds',
    'hold_out',
    'judge_image',
    'judge_run',
    'judged_images',
    'judgement_text',
    'mask_lines',
    'rank_correlations',
    'read_judgements',
    'true_miou',
    'write_review',
]
