import os

import torch

from wsss_plugin.engine.machine import describe_machine


def test_names_what_a_time_depends_on():
    text = describe_machine(1)
    assert f'{os.cpu_count()} cores' in text
    assert f'torch {torch.__version__}' in text
    assert ', 1 thread;' in text
    assert ', 2 threads;' in describe_machine(2)
