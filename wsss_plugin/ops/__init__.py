"""Pure functions on tensors; they need nothing but torch."""

from wsss_plugin.ops.affinity import (
    affinity_loss,
    affinity_pair_labels,
    pair_affinity,
)
from wsss_plugin.ops.attention import (
    attention_cam,
    spread_by_attention,
)
from wsss_plugin.ops.cam import (
    average_cams,
    class_activation_map,
    fuse_cams,
    merge_flip,
    multi_scale_cam,
    normalize_cam,
)
from wsss_plugin.ops.cam_fusion import (
    CAMFusion,
)
from wsss_plugin.ops.class_features import (
    class_features,
    softmax_class_loss,
)
from wsss_plugin.ops.class_prior import (
    with_class_prior,
)
from wsss_plugin.ops.class_weights import (
    frequency_weights,
)
from wsss_plugin.ops.cluster import (
    cluster_assignment,
)
from wsss_plugin.ops.confident_labels import (
    alpha_scores,
    confident_label,
)
from wsss_plugin.ops.contrast import (
    affinity_label,
    class_token_contrast,
    patch_token_contrast,
)
from wsss_plugin.ops.crops import (
    choose_crops,
    crop_is_positive,
    extract_crops,
)
from wsss_plugin.ops.energy import (
    bilateral_filter,
    dense_energy,
)
from wsss_plugin.ops.geometry import (
    box_to_view,
    from_view,
    to_view,
)
from wsss_plugin.ops.labels import (
    cam_to_label,
    mask_outside_box,
    refined_pseudo_label,
    region_of_interest,
    scale_box,
    tagged_maximum,
    threshold_label,
)
from wsss_plugin.ops.mixture import (
    noise_mixture,
)
from wsss_plugin.ops.modulation import (
    gaussian_gate,
)
from wsss_plugin.ops.noise import (
    filter_noise,
)
from wsss_plugin.ops.par import (
    pixel_affinity,
    propagate,
)
from wsss_plugin.ops.path_affinity import (
    displacement_loss,
    path_affinity,
)
from wsss_plugin.ops.permutohedral import (
    PermutohedralLattice,
)
from wsss_plugin.ops.pictures import (
    resize_as_picture,
)
from wsss_plugin.ops.pixel_pairs import (
    pair_offsets,
)
from wsss_plugin.ops.precision import (
    at_least_float32,
)
from wsss_plugin.ops.random_walk import (
    boundary_walk,
    random_walk,
)
from wsss_plugin.ops.resized_logits import (
    resized_argmax,
    resized_cross_entropy,
)
from wsss_plugin.ops.students import (
    discrepancy,
    ignored_consistency,
)
from wsss_plugin.ops.thresholds import (
    cosine_threshold,
    image_threshold,
)
from wsss_plugin.ops.view_geometry import (
    ViewGeometry,
)

__all__ = [
    'CAMFusion',
    'PermutohedralLattice',
    'ViewGeometry',
    'affinity_label',
    'affinity_loss',
    'affinity_pair_labels',
    'alpha_scores',
    'at_least_float32',
    'attention_cam',
    'average_cams',
    'bilateral_filter',
    'boundary_walk',
    'box_to_view',
    'cam_to_label',
    'choose_crops',
    'class_activation_map',
    'class_features',
    'class_token_contrast',
    'cluster_assignment',
    'confident_label',
    'cosine_threshold',
    'crop_is_positive',
    'dense_energy',
    'discrepancy',
    'displacement_loss',
    'extract_crops',
    'filter_noise',
    'frequency_weights',
    'from_view',
    'fuse_cams',
    'gaussian_gate',
    'ignored_consistency',
    'image_threshold',
    'mask_outside_box',
    'merge_flip',
    'multi_scale_cam',
    'noise_mixture',
    'normalize_cam',
    'pair_affinity',
    'pair_offsets',
    'patch_token_contrast',
    'path_affinity',
    'pixel_affinity',
    'propagate',
    'random_walk',
    'refined_pseudo_label',
    'region_of_interest',
    'resize_as_picture',
    'resized_argmax',
    'resized_cross_entropy',
    'scale_box',
    'softmax_class_loss',
    'spread_by_attention',
    'tagged_maximum',
    'threshold_label',
    'to_view',
    'with_class_prior',
]
