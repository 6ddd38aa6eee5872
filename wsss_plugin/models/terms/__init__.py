"""Loss terms: how a loss is wired into a step."""

from wsss_plugin.models.terms.affinity_term import (
    AffinityTerm,
)
from wsss_plugin.models.terms.class_token_contrast_term import (
    ClassTokenContrastTerm,
)
from wsss_plugin.models.terms.classification_term import (
    ClassificationTerm,
)
from wsss_plugin.models.terms.consistency_term import (
    ConsistencyTerm,
)
from wsss_plugin.models.terms.cross_segmentation_term import (
    CrossSegmentationTerm,
)
from wsss_plugin.models.terms.discrepancy_term import (
    DiscrepancyTerm,
)
from wsss_plugin.models.terms.energy_term import (
    EnergyTerm,
)
from wsss_plugin.models.terms.ignored_consistency_term import (
    IgnoredConsistencyTerm,
)
from wsss_plugin.models.terms.irn_term import (
    IRNTerm,
)
from wsss_plugin.models.terms.loss_term import (
    LossTerm,
)
from wsss_plugin.models.terms.patch_token_contrast_term import (
    PatchTokenContrastTerm,
)
from wsss_plugin.models.terms.recam_term import (
    ReCAMTerm,
)
from wsss_plugin.models.terms.segmentation_term import (
    SegmentationTerm,
)
from wsss_plugin.models.terms.stepwise_moving_average import (
    StepwiseMovingAverage,
)
from wsss_plugin.models.terms.student_batches import (
    StudentBatches,
)

__all__ = [
    'AffinityTerm',
    'ClassTokenContrastTerm',
    'ClassificationTerm',
    'ConsistencyTerm',
    'CrossSegmentationTerm',
    'DiscrepancyTerm',
    'EnergyTerm',
    'IRNTerm',
    'IgnoredConsistencyTerm',
    'LossTerm',
    'PatchTokenContrastTerm',
    'ReCAMTerm',
    'SegmentationTerm',
    'StepwiseMovingAverage',
    'StudentBatches',
]
