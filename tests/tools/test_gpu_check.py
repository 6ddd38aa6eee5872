"""tools/gpu_check.py: its parts, and what it reports."""

import json

import pytest
import torch

from wsss_plugin.errors import ConfigError


def test_without_a_gpu_a_rehearsal_is_offered(tool, tmp_path):
    with pytest.raises(ConfigError, match='--cpu'):
        tool('gpu_check').main([str(tmp_path)])


def test_a_part_writes_its_rows_at_once(tool, tmp_path):
    torch.set_num_threads(1)
    assert tool('gpu_check').main([str(tmp_path), '--cpu', '--only', 'others']) == 0
    results = json.loads((tmp_path / 'others.json').read_text())
    assert [row['dtype'] for row in results['rows']] == ['tf32']
    assert results['workload'].startswith('test_vit under')


def test_all_parts_end_within_eight_minutes_and_are_commands(tool, tmp_path):
    module = tool('gpu_check')
    parts = module.commands(module.parse_args([str(tmp_path)]))
    assert [part.name for part in parts][:2] == ['tests', 'benchmark']
    assert len(parts) == 6
    assert module.parse_args([str(tmp_path)]).seconds <= 480
    files = {argument.rpartition('/')[2] for argument in parts[0].command}
    assert {'test_training_on_gpu.py', 'test_dual_branch_on_gpu.py'} <= files


def test_the_report_has_what_is_there(tool):
    row = {'dtype': 'bfloat16', 'variant': 'package', 'seconds': 0.5}
    row |= {'images_per_second': 8.0, 'peak_mb': 1234.0}
    steps = {'first': {'float32': 2.0}, 'last': {'float32': 1.5}, 'relative_difference': 0.012}
    found = [
        {'part': 'benchmark', 'state': 'done', 'seconds': 12.3, 'results': {'rows': [row]}},
        {'part': 'steps', 'state': 'out of time', 'seconds': 90.0, 'results': steps},
        {'part': 'tests', 'state': 'failed', 'seconds': 1.0, 'results': {}, 'lines': ['why']},
    ]
    text = tool('gpu_check').report(found)
    assert '| bfloat16 | package | 0.5 | 8 | 1234 |' in text
    assert '| steps | out of time | 90 |' in text
    assert '| float32 | 2 | 1.5 |' in text
    assert '    why' in text
