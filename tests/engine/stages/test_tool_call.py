import sys
from pathlib import Path

from wsss_plugin.engine.stages.tool_call import ToolCall, tool_environment

TOOLS = Path('/tools')


def test_one_process():
    call = ToolCall('train.py', ['a.py'], ['--resume'])
    assert call.command(TOOLS, 1) == [sys.executable, '/tools/train.py', 'a.py', '--resume']


def test_several_processes_by_the_launcher():
    call = ToolCall('export_labels.py', ['a.py', 'a.pth'], ['--out', 'b'])
    command = ['bash', '/tools/dist_run.sh', 'export_labels.py', '2', 'a.py', 'a.pth', '4']
    assert call.command(TOOLS, 4) == [*command, '--out', 'b']
    assert tool_environment()['PYTHON'] == sys.executable


def test_a_tool_of_one_process():
    call = ToolCall('score_labels.py', ['a.py'], several=False)
    assert call.command(TOOLS, 4) == [sys.executable, '/tools/score_labels.py', 'a.py']
