import threading

import pytest

from wsss_plugin.evaluation.writer_thread import WriterThread


def test_calls_keep_their_order_and_wait_for_a_place():
    writer, gate, done = WriterThread(max_pending=2), threading.Event(), []

    def write(number):
        gate.wait(10)
        done.append((number, threading.current_thread() is threading.main_thread()))

    def give():
        for number in range(4):
            writer.run(write, number)
            given.append(number)

    given = []
    giver = threading.Thread(target=give)
    giver.start()
    giver.join(0.2)
    assert (given, done) == ([0, 1], [])
    gate.set()
    giver.join(10)
    writer.drain()
    writer.close()
    assert done == [(number, False) for number in range(4)]


def test_an_error_is_raised_by_the_next_call_or_at_the_end():
    def fail(name):
        raise OSError(f'{name}: no room')

    writer = WriterThread()
    writer.run(fail, 'a.png')
    with pytest.raises(OSError, match=r'a\.png: no room'):
        writer.drain()
    done = threading.Event()
    writer.run(fail, 'b.png')
    writer.run(done.set)
    assert done.wait(10)
    with pytest.raises(OSError, match=r'b\.png: no room'):
        writer.run(print)
    writer.close()


def test_what_was_given_is_finished_when_it_is_closed():
    writer, gate, done = WriterThread(), threading.Event(), []
    writer.run(gate.wait, 10)
    writer.run(done.append, 'second')
    threading.Timer(0.1, gate.set).start()
    writer.close()
    assert done == ['second']
    writer.close()
