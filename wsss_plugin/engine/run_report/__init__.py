"""A page about a training: what its work folder holds, and what its model makes of images."""

from wsss_plugin.engine.run_report.run_folder import RunFolder
from wsss_plugin.engine.run_report.write_report import write_report

__all__ = ['RunFolder', 'write_report']
