"""Pure functions on tensors; they need nothing but torch."""

from wsss_plugin.ops.attention import attention_cam, spread_by_attention
from wsss_plugin.ops.cam import (
    average_cams,
    class_activation_map,
    fuse_cams,
    merge_flip,
    multi_scale_cam,
    normalize_cam,
)
from wsss_plugin.ops.cam_fusion import CAMFusion
from wsss_plugin.ops.class_prior import with_class_prior
from wsss_plugin.ops.cluster import cluster_assignment
from wsss_plugin.ops.contrast import affinity_label, class_token_contrast, patch_token_contrast
from wsss_plugin.ops.crops import choose_crops, crop_is_positive, extract_crops
from wsss_plugin.ops.labels import (
    cam_to_label,
    mask_outside_box,
    refined_pseudo_label,
    region_of_interest,
    scale_box,
    tagged_maximum,
    threshold_label,
)
from wsss_plugin.ops.mixture import noise_mixture
from wsss_plugin.ops.modulation import gaussian_gate
from wsss_plugin.ops.noise import filter_noise
from wsss_plugin.ops.par import pixel_affinity, propagate
from wsss_plugin.ops.precision import at_least_float32
from wsss_plugin.ops.students import discrepancy, ignored_consistency
from wsss_plugin.ops.thresholds import cosine_threshold, image_threshold

__all__ = [
    'CAMFusion',
    'affinity_label',
    'at_least_float32',
    'attention_cam',
    'average_cams',
    'cam_to_label',
    'choose_crops',
    'class_activation_map',
    'class_token_contrast',
    'cluster_assignment',
    'cosine_threshold',
    'crop_is_positive',
    'discrepancy',
    'extract_crops',
    'filter_noise',
    'fuse_cams',
    'gaussian_gate',
    'ignored_consistency',
    'image_threshold',
    'mask_outside_box',
    'merge_flip',
    'multi_scale_cam',
    'noise_mixture',
    'normalize_cam',
    'patch_token_contrast',
    'pixel_affinity',
    'propagate',
    'refined_pseudo_label',
    'region_of_interest',
    'scale_box',
    'spread_by_attention',
    'tagged_maximum',
    'threshold_label',
    'with_class_prior',
]
