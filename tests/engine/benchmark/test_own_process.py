import pytest

from wsss_plugin.engine.benchmark import measure_in_own_process


def test_a_process_that_fails_is_shown():
    with pytest.raises(RuntimeError, match=r'expected a measurement from .* -c .*out of memory'):
        measure_in_own_process(['-c', 'raise SystemExit("out of memory")'])
