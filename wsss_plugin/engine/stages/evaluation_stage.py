"""A test as a stage."""

from __future__ import annotations

from pathlib import Path

from wsss_plugin.engine.stages.scored_stage import ScoredStage
from wsss_plugin.engine.stages.stage import input_path
from wsss_plugin.engine.stages.tool_call import ToolCall


class EvaluationStage(ScoredStage):
    """``dict(test='name of a training')``: ``tools/test.py``."""

    KIND = 'test'

    def call(self, config: Path) -> ToolCall:
        """The call of the tool."""
        options = ['--work-dir', str(self.folder), '--out', str(self.output), *self.arguments]
        return ToolCall('test.py', [str(config), input_path(self.read)], options)
