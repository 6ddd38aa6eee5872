"""Runs the stages of a method, or goes on with them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from wsss_plugin.engine.program import describe_program
from wsss_plugin.engine.stages.stage import Stage
from wsss_plugin.engine.stages.stage_plan import RECORDS
from wsss_plugin.engine.stages.stage_record import StageRecord
from wsss_plugin.engine.stages.stage_state import StageState, look, record_file
from wsss_plugin.engine.stages.tied_process import run_tied
from wsss_plugin.engine.stages.tool_call import tool_environment
from wsss_plugin.engine.stages.work_lock import work_lock
from wsss_plugin.errors import DataError
from wsss_plugin.whole_file import remove_parts


class StageRunner:
    """Runs stages one after the other, each in a process of its own.

    Args:
        stages: The stages by name, in their order.
        work_dir: Their folder.
        tools: Folder of the tools.
        processes: Number of processes of a tool that can run in several.
    """

    def __init__(
        self, stages: Mapping[str, Stage], work_dir: Path, tools: Path, processes: int = 1
    ) -> None:
        self.stages = dict(stages)
        self.work_dir = work_dir
        self.tools = tools
        self.processes = processes
        self.program = _program()

    def states(self) -> list[StageState]:
        """The state of every stage; nothing is run."""
        made: dict[str, str] = {}
        return [look(stage, made) for stage in self.stages.values()]

    def run(self, chosen: Collection[str], redo: Collection[str] = ()) -> None:
        """Runs what is not done, or goes on with it.

        Args:
            chosen: Names of the stages that may be run.
            redo: Names of those that are run again although they are done.

        Raises:
            DataError: If an input of a stage is of another stage that is not done.
            ExistingFileError: If another process runs stages in the folder.
            RuntimeError: If a tool fails.
        """
        with work_lock(self.work_dir) as lock:
            remove_parts(self.work_dir / RECORDS)
            for name in redo:
                record_file(self.stages[name]).unlink(missing_ok=True)
            made: dict[str, str] = {}
            states: dict[str, StageState] = {}
            for name, stage in self.stages.items():
                states[name] = look(stage, made)
                if name not in chosen:
                    continue
                if states[name].state == 'waiting':
                    raise self._refusal(stage, states)
                if states[name].state == 'done':
                    _say(f'{name} is done')
                else:
                    made[name] = self._execute(states[name], lock)

    def _execute(self, state: StageState, lock: int) -> str:
        """Runs a stage; returns the fingerprint of its output."""
        stage = state.stage
        why = f' ({state.why})' if state.why else ''
        _say(f'{stage.name} goes on{why}' if state.state == 'begun' else f'{stage.name}{why}')
        if state.state == 'begun':
            remove_parts(stage.folder, below=True)
        else:
            _set_aside(stage.folder)
        record = self._begun(state)
        record.write(record_file(stage))
        # Killed between the last file and the record, there is nothing left to do.
        if state.state != 'begun' or stage.lacks():
            self._call(stage, lock)
        if lack := stage.lacks():
            raise DataError(
                f'{stage.key(stage.KIND)}: expected a complete output, received another: {lack}; '
                'the same command goes on'
            )
        done = replace(record, output=stage.output_fingerprint(), run=stage.run)
        done.write(record_file(stage))
        _say(f'{stage.name} is done, in {stage.output}')
        return done.output

    def _begun(self, state: StageState) -> StageRecord:
        before = state.record.programs if state.record and state.state == 'begun' else ()
        programs = tuple(dict.fromkeys([*before, self.program]))
        return StageRecord(state.settings, state.inputs, programs, self.processes)

    def _call(self, stage: Stage, lock: int) -> None:
        # A copy, so that a stage is what its record says even if a config is edited meanwhile.
        config = self.work_dir / RECORDS / f'{stage.name}.py'
        config.parent.mkdir(parents=True, exist_ok=True)
        stage.config().dump(config)
        call = stage.call(config)
        try:
            code = run_tied(call.command(self.tools, self.processes), tool_environment(), lock)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f'the stage {stage.name} is kept as its tool has said; the same command goes on'
            ) from None
        if code != 0:
            raise RuntimeError(
                f'{stage.key(stage.KIND)}: expected tools/{call.script} to end with exit code 0, '
                f'received {code}; it has said why, and the same command goes on'
            )

    def _refusal(self, stage: Stage, states: Mapping[str, StageState]) -> DataError:
        sources = [one.name for one in stage.inputs.values() if isinstance(one, Stage)]
        name = next(name for name in sources if states[name].state != 'done')
        found = ': '.join(text for text in (states[name].state, states[name].why) if text)
        return DataError(
            f'stages.{stage.name}: expected its input {name} to be done with the present settings, '
            f'received {found}; let it run too, by --from {name}'
        )


def _set_aside(folder: Path) -> None:
    """Renames a folder that is of other settings, or of what nobody knows."""
    if not folder.exists():
        return
    numbers = [path.name.rpartition('-')[2] for path in folder.parent.glob(f'{folder.name}.old-*')]
    number = 1 + max((int(text) for text in numbers if text.isdigit()), default=0)
    target = folder.with_name(f'{folder.name}.old-{number}')
    folder.rename(target)
    _say(f'what was in {folder} is kept in {target}')


def _program() -> str:
    program = describe_program()
    return ' '.join(part for part in (program['version'], program['commit'][:12]) if part)


def _say(text: str) -> None:
    print(f'run_stages: {text}', flush=True)
