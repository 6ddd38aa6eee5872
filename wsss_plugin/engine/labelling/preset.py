"""What is trained, by the hardware and the weights that are there."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch

from wsss_plugin.errors import ConfigError, listed, received

_MEDIAN_STEP = 8
_SMALLEST, _LARGEST = 64, 128


@dataclass(frozen=True)
class Preset:
    """A training of a size.

    Attributes:
        backbone: That of ``configs/own_data.py``.
        image_size: Side of the images, in pixels.
        batch: Images of a step, over all processes.
        usual: Iterations that it was measured with.
        minutes: Thread-minutes on CPUs for the training and the masks together.
    """

    backbone: str
    image_size: int
    batch: int
    usual: int
    minutes: float

    def length(self, seconds: float, iteration: float) -> int:
        """Iterations that fit.

        Args:
            seconds: For the training.
            iteration: Seconds of one.

        Returns:
            A number between a tenth of the usual and a third more than that.
        """
        fitting = int(seconds / max(iteration, 1e-6))
        return max(self.usual // 10, min(fitting, self.usual * 4 // 3))


PRESETS = {
    'scratch': Preset('scratch', 96, 8, 1500, 18.0),
    'small': Preset('small', 224, 4, 1000, 84.0),
    'base': Preset('base', 448, 4, 20000, 6000.0),
}


def choose_preset(name: str | None, weights: str | None, side: int) -> Preset:
    """Chooses a preset.

    Args:
        name: Its name; None chooses.
        weights: The preset that given weights fit, None without.
        side: Median of the longer sides of the images, in pixels.

    Returns:
        ``weights``' preset; else 'base' on a GPU and 'scratch' on CPUs, since that needs none.

    Raises:
        ConfigError: If the name is unknown, or the weights are of another.
    """
    if name is not None and name not in PRESETS:
        raise ConfigError(f'--preset: expected one of {listed(PRESETS)}, received {received(name)}')
    if name is not None and weights is not None and name != weights:
        raise ConfigError(
            f'--preset: expected {weights!r} for these weights, received {name!r}; leave --preset '
            'or --weights out'
        )
    chosen = PRESETS[name or weights or ('base' if torch.cuda.is_available() else 'scratch')]
    if chosen.backbone != 'scratch':
        return chosen
    size = min(max(round(side / _MEDIAN_STEP) * _MEDIAN_STEP, _SMALLEST), _LARGEST)
    return Preset('scratch', size, chosen.batch, chosen.usual, chosen.minutes)


def number_of_processes(batch: int) -> int:
    """Processes among which a batch is shared.

    Args:
        batch: Images of a step.

    Returns:
        One for each GPU; without, two where there are two cores.

    >>> number_of_processes(1)
    1
    """
    wanted = torch.cuda.device_count() or min(2, len(os.sched_getaffinity(0)))
    return max(number for number in range(1, wanted + 1) if batch % number == 0)
