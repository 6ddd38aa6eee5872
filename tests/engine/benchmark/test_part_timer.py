import itertools

import pytest

from wsss_plugin.engine.benchmark import PartTimer


class Worker:
    def work(self, fail=False):
        if fail:
            raise KeyError('fail')
        return 'done'


@pytest.fixture
def timer():
    counter = itertools.count()
    return PartTimer('cpu', clock=lambda: float(next(counter)))


def test_inner_parts_do_not_count_in_outer_ones(timer):
    with timer.part('outer'):
        for _ in range(2):
            with timer.part('inner'):
                pass
    assert timer.seconds == {'outer': 3.0, 'inner': 2.0}
    timer.reset()
    assert timer.seconds == {}


def test_a_part_inside_itself(timer):
    with timer.part('a'), timer.part('a'):
        pass
    assert timer.seconds == {'a': 3.0}


def test_methods_are_counted_while_attached(timer):
    worker = Worker()
    with timer.attached({(worker, 'work'): 'work'}):
        assert worker.work() == 'done'
    assert timer.seconds == {'work': 1.0}
    worker.work()
    assert timer.seconds == {'work': 1.0}


def test_an_error_ends_the_part_and_detaches(timer):
    worker = Worker()
    with pytest.raises(KeyError), timer.attached({(worker, 'work'): 'work'}):
        worker.work(fail=True)
    assert 'work' not in vars(worker)
    with timer.part('next'):
        pass
    assert timer.seconds == {'work': 1.0, 'next': 1.0}
