"""Whether a stage is done, and if not why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wsss_plugin.engine.stages.stage import Stage
from wsss_plugin.engine.stages.stage_plan import RECORDS
from wsss_plugin.engine.stages.stage_record import StageRecord


@dataclass(frozen=True)
class StageState:
    """What is left to do of a stage.

    Attributes:
        stage: The stage.
        state: 'done'; 'begun', what is there is of the present settings; 'new'; 'changed', it is
            of others; 'damaged', its output is not what it made; 'waiting' for other stages.
        why: In words.
        record: Its record, None if it has none.
        settings: The present fingerprint of its settings.
        inputs: Those of its inputs, empty while it waits.
    """

    stage: Stage
    state: str
    why: str
    record: StageRecord | None
    settings: str
    inputs: Mapping[str, str]


def record_file(stage: Stage) -> Path:
    """The file of the record of a stage.

    Args:
        stage: The stage.

    Returns:
        Its path.
    """
    return stage.place.work_dir / RECORDS / f'{stage.name}.json'


def look(stage: Stage, made: dict[str, str]) -> StageState:
    """Compares a stage with its record and its output.

    Args:
        stage: The stage.
        made: Fingerprints of the outputs of the stages that are done, by name; this one's is added
            if it is done.

    Returns:
        Its state.
    """
    record, settings = StageRecord.read(record_file(stage)), stage.settings()
    names = {one.name for one in stage.inputs.values() if isinstance(one, Stage)}
    if waits := sorted(names - set(made)):
        return StageState(stage, 'waiting', f'for {", ".join(waits)}', record, settings, {})
    inputs = stage.input_fingerprints(made)
    state, why = _compared(stage, record, settings, inputs)
    if state == 'done' and record is not None:
        made[stage.name] = record.output
    return StageState(stage, state, why, record, settings, inputs)


def _compared(
    stage: Stage, record: StageRecord | None, settings: str, inputs: Mapping[str, str]
) -> tuple[str, str]:
    if record is None:
        return 'new', ''
    if difference := record.difference(settings, inputs):
        return 'changed', difference
    if not record.output:
        return 'begun', stage.progress()
    if lack := stage.lacks():
        return 'damaged', lack
    if stage.output_fingerprint() != record.output:
        return 'damaged', f'{stage.output} is not what the stage has made'
    return 'done', ''


def status_table(states: Sequence[StageState], program: str) -> str:
    """The states as text.

    Args:
        states: One for each stage.
        program: The present version and commit.

    Returns:
        A line for each stage; made by another program than the present one is said.
    """
    lines = [['stage', 'kind', 'state', 'by', 'output']]
    for one in states:
        programs = () if one.record is None else one.record.programs
        by = ', '.join(programs) + (f' (now {program})' if set(programs) - {program} else '')
        state = one.state + (f': {one.why}' if one.why else '')
        lines.append([one.stage.name, one.stage.KIND, state, by, str(one.stage.output)])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return '\n'.join(
        '  '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
