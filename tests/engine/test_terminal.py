"""What a log keeps from the terminal."""

import io
import logging

from wsss_plugin.engine.terminal import is_for_users, quiet_terminal


def test_only_the_terminal_is_quiet(tmp_path):
    terminal, logger = io.StringIO(), logging.Logger('a')
    logger.addHandler(logging.StreamHandler(terminal))
    logger.addHandler(logging.FileHandler(tmp_path / 'a.log'))
    with quiet_terminal(logger):
        logger.info('hidden')
        logger.warning('shown')
    logger.info('after')
    logger.handlers[1].close()
    assert terminal.getvalue() == 'shown\nafter\n'
    assert (tmp_path / 'a.log').read_text() == 'hidden\nshown\nafter\n'


def test_a_handler_that_was_quieter_stays_so():
    terminal, logger = io.StringIO(), logging.Logger('a')
    logger.addHandler(logging.StreamHandler(terminal))
    logger.handlers[0].setLevel(logging.ERROR)
    with quiet_terminal(logger):
        logger.warning('hidden')
    assert terminal.getvalue() == ''
    assert logger.handlers[0].level == logging.ERROR


def test_deprecations_inside_the_toolbox_are_not_for_users():
    def record(text):
        return logging.LogRecord('a', logging.WARNING, 'a.py', 1, text, None, None)

    assert not is_for_users(record('"FileClient" will be deprecated in future. Please use io'))
    assert is_for_users(record('the loss is not finite'))
