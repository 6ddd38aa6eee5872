"""The time that a computation cannot undercut on a machine, beside the time that it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from wsss_plugin.engine.benchmark.machine_rates import MachineRates
from wsss_plugin.engine.benchmark.operator_log import OperatorCall
from wsss_plugin.engine.benchmark.product_shapes import operations
from wsss_plugin.engine.benchmark.trainee import Trainee


@dataclass
class Cost:
    """What a part or a kind of operator costs.

    Args:
        operations: Multiplications and additions in products of matrices.
        moved: Bytes read and written at least.
        limit: Seconds that the machine needs for them.
        seconds: Seconds that the operators took.
        calls: Number of operators.
    """

    operations: int = 0
    moved: int = 0
    limit: float = 0.0
    seconds: float = 0.0
    calls: int = 0


class TimeLimit:
    """Sums the limits of operators, ``max(operations / rate of their shape, bytes / bandwidth)``.

    Products count by their operations; all other work, as sums, softmax and resizing, by its bytes.
    So an operator with much arithmetic for each byte takes longer than its limit.

    Args:
        calls: The operators of a computation.
        rates: Measures the machine.
    """

    def __init__(self, calls: Iterable[OperatorCall], rates: MachineRates) -> None:
        self._costs = [(call, self._limit(call, rates)) for call in calls]

    @staticmethod
    def _limit(call: OperatorCall, rates: MachineRates) -> float:
        return max(sum(map(rates.product, call.products)), rates.move(call.moved))

    def by(self, key: Callable[[OperatorCall], str]) -> dict[str, Cost]:
        """Costs by what a function says of each operator."""
        costs: dict[str, Cost] = {}
        for call, limit in self._costs:
            cost = costs.setdefault(key(call), Cost())
            cost.operations += sum(map(operations, call.products))
            cost.moved += call.moved
            cost.limit += limit
            cost.seconds += call.seconds
            cost.calls += 1
        return costs

    def parts_table(self, seconds: Mapping[str, float]) -> str:
        """Markdown table of the parts of a computation.

        Args:
            seconds: Seconds of each part, measured without the log of operators.
        """
        lines = ['| part | GFLOP | GB moved | limit [s] | time [s] | time / limit |']
        lines += ['|---|---:|---:|---:|---:|---:|']
        costs = self.by(lambda call: call.part)
        total = Cost()
        for part in (part for part in seconds if part in costs):
            cost = costs[part]
            lines.append(_row(part, cost, seconds[part]))
            total.operations += cost.operations
            total.moved += cost.moved
            total.limit += cost.limit
            total.seconds += seconds[part]
        return '\n'.join([*lines, _row('**all**', total, total.seconds)])

    def operators_table(self, most: int = 12) -> str:
        """Markdown table of the kinds of operators that lose most time against their limit.

        Args:
            most: Number of rows.
        """
        lines = [
            '| operator | calls | limit [s] | time [s] | lost [s] |',
            '|---|---:|---:|---:|---:|',
        ]
        costs = self.by(lambda call: call.name)
        worst = sorted(costs.items(), key=lambda item: item[1].limit - item[1].seconds)[:most]
        for name, cost in worst:
            lost = cost.seconds - cost.limit
            lines.append(
                f'| {name} | {cost.calls} | {cost.limit:.3g} | {cost.seconds:.3g} | {lost:.3g} |'
            )
        return '\n'.join(lines)


def limit_tables(trainee: Trainee, seconds: Mapping[str, float]) -> str:
    """Markdown tables of an iteration's parts and operators beside their limits.

    Args:
        trainee: Runs the iteration.
        seconds: Seconds of each part, measured without the log of operators.
    """
    limit = TimeLimit(trainee.operators(), MachineRates(trainee.timer.device))
    return f'{limit.parts_table(seconds)}\n\n{limit.operators_table()}'


def _row(name: str, cost: Cost, seconds: float) -> str:
    ratio = f'{seconds / cost.limit:.2f}' if cost.limit else ''
    return (
        f'| {name} | {cost.operations / 1e9:.3g} | {cost.moved / 1e9:.3g} | {cost.limit:.3g} | '
        f'{seconds:.3g} | {ratio} |'
    )
