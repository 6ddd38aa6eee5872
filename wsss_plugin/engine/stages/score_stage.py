"""Scores of pseudo labels as a stage."""

from __future__ import annotations

from pathlib import Path

from wsss_plugin.engine.stages.scored_stage import ScoredStage
from wsss_plugin.engine.stages.tool_call import ToolCall


class ScoreStage(ScoredStage):
    """``dict(score='name of a training')``: ``tools/score_labels.py``, in one process."""

    KIND = 'score'

    def call(self, config: Path) -> ToolCall:
        """The call of the tool."""
        options = ['--out', str(self.output), *self.arguments]
        return ToolCall('score_labels.py', [str(config), self.checkpoint], options, several=False)
