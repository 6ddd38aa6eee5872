"""The stages of a method, for tools/run_stages.py."""

from wsss_plugin.engine.stages.evaluation_stage import EvaluationStage
from wsss_plugin.engine.stages.export_stage import ExportStage
from wsss_plugin.engine.stages.score_stage import ScoreStage
from wsss_plugin.engine.stages.stage import Stage, StagePlace
from wsss_plugin.engine.stages.stage_plan import KINDS, read_stages
from wsss_plugin.engine.stages.stage_record import StageRecord
from wsss_plugin.engine.stages.stage_runner import StageRunner
from wsss_plugin.engine.stages.stage_state import StageState, status_table
from wsss_plugin.engine.stages.train_stage import TrainStage

__all__ = [
    'KINDS',
    'EvaluationStage',
    'ExportStage',
    'ScoreStage',
    'Stage',
    'StagePlace',
    'StageRecord',
    'StageRunner',
    'StageState',
    'TrainStage',
    'read_stages',
    'status_table',
]
