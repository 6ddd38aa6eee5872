"""With what a run was made."""

from __future__ import annotations

import mmcv
import mmengine
import mmseg
import torch

from wsss_plugin.engine.machine import describe_machine
from wsss_plugin.engine.program import describe_program


def describe_versions() -> dict[str, str]:
    """Versions of this package and of the toolboxes, and the machine.

    Returns:
        Texts by name.

    >>> [*describe_versions()]
    ['wsss_plugin', 'mmseg', 'mmengine', 'mmcv', 'machine']
    """
    return {
        'wsss_plugin': ' '.join(text for text in describe_program().values() if text),
        'mmseg': mmseg.__version__,
        'mmengine': mmengine.__version__,
        'mmcv': mmcv.__version__,
        'machine': describe_machine(torch.get_num_threads()),
    }
