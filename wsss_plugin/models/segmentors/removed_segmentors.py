"""What the segmentors of version 0.1 say to a config that still names them."""

from __future__ import annotations

from typing import Any, NoReturn

from mmseg.registry import MODELS

# The config that stands for each of them now.
_SUCCESSORS = {
    'TokenContrastSegmentor': 'configs/toco_vit_b_voc.py',
    'DualBranchSegmentor': 'configs/dual_vit_r50_voc.py',
    'CAMSegmentor': 'configs/cam_r50_voc.py',
}


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
