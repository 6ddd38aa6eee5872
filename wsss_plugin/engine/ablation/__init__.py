"""Trainings of many configs with several seeds and their tables, for tools/run_ablations.py."""

from wsss_plugin.engine.ablation.child_processes import ChildProcesses
from wsss_plugin.engine.ablation.plan import plan_rows
from wsss_plugin.engine.ablation.record_folder import RecordFolder, config_name
from wsss_plugin.engine.ablation.report import report
from wsss_plugin.engine.ablation.row import Row
from wsss_plugin.engine.ablation.run import TESTS, Run
from wsss_plugin.engine.ablation.run_executor import RunExecutor
from wsss_plugin.engine.ablation.run_record import RunRecord
from wsss_plugin.engine.fingerprints import content_key

__all__ = [
    'TESTS',
    'ChildProcesses',
    'RecordFolder',
    'Row',
    'Run',
    'RunExecutor',
    'RunRecord',
    'config_name',
    'content_key',
    'plan_rows',
    'report',
]
