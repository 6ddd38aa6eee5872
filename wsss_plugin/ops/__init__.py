"""Pure functions on tensors; they need nothing but torch."""

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
from wsss_plugin.ops.class_prior import (
    with_class_prior,
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
from wsss_plugin.ops.modulation import (
    gaussian_gate,
)
from wsss_plugin.ops.par import (
    pixel_affinity,
    propagate,
)
from wsss_plugin.ops.permutohedral import (
    PermutohedralLattice,
)
from wsss_plugin.ops.pictures import (
    resize_as_picture,
)
from wsss_plugin.ops.precision import (
    at_least_float32,
)
from wsss_plugin.ops.thresholds import (
    cosine_threshold,
)
from wsss_plugin.ops.view_geometry import (
    ViewGeometry,
)

__all__ = [
    'CAMFusion',
    'PermutohedralLattice',
    'ViewGeometry',
    'affinity_label',
    'at_least_float32',
    'average_cams',
    'bilateral_filter',
    'box_to_view',
    'cam_to_label',
    'choose_crops',
    'class_activation_map',
    'class_token_contrast',
    'cosine_threshold',
    'crop_is_positive',
    'dense_energy',
    'extract_crops',
    'from_view',
    'fuse_cams',
    'gaussian_gate',
    'mask_outside_box',
    'merge_flip',
    'multi_scale_cam',
    'normalize_cam',
    'patch_token_contrast',
    'pixel_affinity',
    'propagate',
    'refined_pseudo_label',
    'region_of_interest',
    'resize_as_picture',
    'scale_box',
    'tagged_maximum',
    'threshold_label',
    'to_view',
    'with_class_prior',
]
