"""What the segmentors of version 0.1 say to a config that still names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from mmseg.registry import MODELS

from wsss_plugin.errors import ConfigTypeError, listed

# The config that stands for each of them now.
_SUCCESSORS = {
    'TokenContrastSegmentor': 'configs/toco/voc.py',
    'DualBranchSegmentor': 'configs/dual_vit_r50_voc.py',
    'CAMSegmentor': 'configs/cam/voc.py',
}


# Where the keys of their configs are now.
_KEYS = {
    'cam_head': 'cams.final',
    'aux_cam_head': 'cams.aux',
    'cnn_cam_head': 'cams.cnn',
    'projection_head': 'terms.ctc.projection_head',
    'projection_momentum': 'terms.ctc.momentum',
    'local_crops': 'terms.ctc.local_crops',
    'refinement': 'labels.pixel.refine',
    'refinement_scale': 'labels.pixel.scale',
    'label_cams': 'labels.pixel.cams',
    'affinity_cams': 'labels.token.cams',
    'cam_scales': 'multi_scale.scales',
    'loss_ptc': 'terms.ptc.loss',
    'loss_ctc': 'terms.ctc.loss',
    'loss_consistency': 'terms.consistency.loss',
    'consistency_cam': 'terms.consistency.compare',
    'loss_starts': 'start of each of terms',
    'idle_losses': 'idle of each of terms',
}


def refuse_removed_keys(given: Mapping[str, Any]) -> None:
    """Says where keys of a segmentor's config of version 0.1 are now.

    Args:
        given: Arguments that the segmentor does not know.

    Raises:
        ConfigTypeError: If there is one.
    """
    if not given:
        return
    moved = [f'{name} is now {_KEYS[name]}' for name in sorted(given) if name in _KEYS]
    remedy = f'in version 0.2 {", ".join(moved)}' if moved else 'check their spelling'
    raise ConfigTypeError(
        'expected backbone, decode_head, decode_reads, cams, heads, labels, terms, thresholds, '
        'multi_scale and keys of MMSegmentation in the model of a WeakSegmentor, received also '
        f'{listed(sorted(given))}; {remedy}'
    )


def _refuse(name: str) -> type:
    def refuse(self: Any, **kwargs: Any) -> NoReturn:
        del self, kwargs
        raise ValueError(
            f"expected model.type='WeakSegmentor', received {name!r} of version 0.1; its parts are "
            f'now listed by the config: write yours as {_SUCCESSORS[name]} and the files that it '
            'names are written. Weights of version 0.1 still load'
        )

    return type(name, (), {'__init__': refuse, '__doc__': f'Refuses to be built: see {__name__}.'})


for _name in _SUCCESSORS:
    MODELS.register_module(name=_name, module=_refuse(_name))
