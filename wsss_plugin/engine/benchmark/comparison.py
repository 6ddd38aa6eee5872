"""Paired measurements of two programs that do the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import median


class Comparison:
    """Collects what both programs needed in every repeat and compares by medians of ratios.

    The ratio is formed within a repeat, where both ran one after the other, so a machine that is
    slower for a while does not distort it. The package may also be measured alone.

    Args:
        names: What the two are called in the table.

    >>> comparison = Comparison()
    >>> for ours in (1.0, 3.0, 2.0):
    ...     comparison.add({'forward': ours}, {'forward': 2 * ours})
    >>> comparison.rows()
    [('forward', 2.0, 4.0, 2.0)]
    """

    def __init__(self, names: tuple[str, str] = ('package', 'plain')) -> None:
        self._names = names
        self._pairs: dict[str, list[tuple[float, float]]] = {}
        self._alone = True

    def add(self, package: Mapping[str, float], plain: Mapping[str, float] | None = None) -> None:
        """Adds one repeat.

        Args:
            package: Seconds, or another cost, of the package by part.
            plain: The same of the plain formulation; a part that one of them lacks costs it 0. None
                where there is no plain formulation.
        """
        self._alone = self._alone and plain is None
        for part in dict.fromkeys((*package, *(plain or {}))):
            missing = math.nan if plain is None else plain.get(part, 0.0)
            self._pairs.setdefault(part, []).append((package.get(part, 0.0), missing))

    def rows(self) -> list[tuple[str, float, float, float]]:
        """Medians over the repeats.

        Returns:
            Part, cost of the package, cost of the plain formulation, and the median of the ratios
            plain / package (NaN where the package has no such part, or there is no plain one).
        """
        rows = []
        for part, pairs in self._pairs.items():
            package, plain = (median(costs) for costs in zip(*pairs, strict=True))
            ratio = median(theirs / ours if ours else math.nan for ours, theirs in pairs)
            rows.append((part, package, plain, ratio))
        return rows

    def markdown(self, unit: str = 's') -> str:
        """The rows as a Markdown table.

        Args:
            unit: Unit of the costs.

        Returns:
            The table; it has one column of costs where only the package was measured.
        """
        if self._alone:
            lines = [f'| part | {self._names[0]} [{unit}] |', '|---|---:|']
            return '\n'.join([*lines, *(f'| {row[0]} | {row[1]:.4g} |' for row in self.rows())])
        first, second = self._names
        lines = [
            f'| part | {first} [{unit}] | {second} [{unit}] | {second} / {first} |',
            '|---|---:|---:|---:|',
        ]
        lines += [
            f'| {part} | {package:.4g} | {plain:.4g} | {ratio:.2f} |'
            for part, package, plain, ratio in self.rows()
        ]
        return '\n'.join(lines)
