"""Scores of pseudo labels as a stage."""

from __future__ import annotations

from pathlib import Path

from wsss_plugin.engine.stages.scored_stage import ScoredStage
from wsss_plugin.engine.stages.stage import Stage, input_path
from wsss_plugin.engine.stages.tool_call import ToolCall


class ScoreStage(ScoredStage):
    """``dict(score='name of a training or an export')``: ``tools/score_labels.py``."""

    KIND = 'score'
    SOURCES = ('checkpoint', 'labels')

    def call(self, config: Path) -> ToolCall:
        """The call of the tool."""
        positional, options = [str(config)], ['--out', str(self.output), *self.arguments]
        if isinstance(self.read, Stage) and self.read.makes == 'labels':
            options += ['--label-dir', input_path(self.read)]
        else:
            positional.append(input_path(self.read))
        return ToolCall('score_labels.py', positional, options, several=False)
