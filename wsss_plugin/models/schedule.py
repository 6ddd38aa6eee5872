"""Values that change at given iterations of a training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def as_iteration(value: float, max_iters: int | None, key: str) -> int:
    """An iteration, given as such or as a share of the training.

    Args:
        value: An integer, the iteration itself; or a fraction between 0 and 1 of the training.
        max_iters: Length of the training, None where it is unknown.
        key: Key of the config, for the error.

    Returns:
        The iteration.

    Raises:
        ValueError: If a share is given and the length is unknown.

    >>> as_iteration(2001, None, 'start'), as_iteration(0.1, 20000, 'start')
    (2001, 2000)
    """
    if isinstance(value, int) or value == int(value):
        return int(value)
    if max_iters is None:
        raise ValueError(
            f'expected {key} as an iteration, received the share {value} of a training whose '
            'length is unknown; train with a runner, or give a whole number'
        )
    return int(value * max_iters)


def check_iteration(value: Any, key: str) -> None:
    """Checks an iteration or a share of the training.

    Args:
        value: As in a config.
        key: Key of the config, for the error.

    Raises:
        ValueError: If it is neither a whole number from 0 on nor a share between 0 and 1.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or value < 0 or (value != int(value) and value >= 1):
        raise ValueError(
            f'expected {key} as an iteration (0, 1, 2, ...) or as a share of the training between '
            f'0 and 1, received {value!r}'
        )


class Schedule:
    """Names by iteration: those of the last step that has begun.

    Args:
        given: A sequence of names that always hold, or pairs (iteration, names) with increasing
            iterations from 0; an iteration may be a share of the training.
        key: Key of the config, for errors.

    Raises:
        ValueError: If it is neither.

    >>> schedule = Schedule(((0, ('final',)), (500, ('final', 'decoder'))), 'cams')
    >>> schedule.at(499), schedule.at(None)
    (('final',), ('final', 'decoder'))
    """

    def __init__(self, given: Sequence[Any], key: str) -> None:
        self.key = key
        if isinstance(given, str):
            raise self._error(given)
        steps = list(given)
        if steps and all(isinstance(step, str) for step in steps):
            steps = [(0, steps)]
        try:
            pairs = [(start, tuple(names)) for start, names in steps]
        except (TypeError, ValueError) as error:
            raise self._error(given) from error
        for start, names in pairs:
            check_iteration(start, f'the iterations of {key}')
            if not names or not all(isinstance(name, str) for name in names):
                raise self._error(given)
        if not pairs or pairs[0][0] != 0:
            raise self._error(given)
        self.steps: tuple[tuple[float, tuple[str, ...]], ...] = tuple(pairs)
        shares = any(start != int(start) for start, _ in pairs)
        starts = self.starts(10**9 if shares else None)
        if list(starts) != sorted(set(starts)):
            raise self._error(given)

    def _error(self, given: Any, where: str = '') -> ValueError:
        return ValueError(
            f'expected {self.key} as names, or as pairs (iteration, names) with increasing '
            f'iterations from 0{where}, received {given!r}'
        )

    def starts(self, max_iters: int | None) -> tuple[int, ...]:
        """The iterations at which a step begins.

        Args:
            max_iters: Length of the training, needed for shares of it.

        Returns:
            Iterations, the first 0.

        Raises:
            ValueError: If a share comes before an earlier iteration in a training of this length.
        """
        starts = tuple(as_iteration(start, max_iters, self.key) for start, _ in self.steps)
        if list(starts) != sorted(starts):
            raise self._error(self.steps, f', of a training of {max_iters} iterations')
        return starts

    def at(self, iteration: int | None, max_iters: int | None = None) -> tuple[str, ...]:
        """The names at an iteration.

        Args:
            iteration: The iteration; None, outside a training, stands for its end.
            max_iters: Length of the training, needed for shares of it.

        Returns:
            Names.
        """
        if iteration is None:
            return self.steps[-1][1]
        begun = sum(start <= iteration for start in self.starts(max_iters))
        return self.steps[begun - 1][1]
