from __future__ import annotations

import pytest

from wsss_plugin.models.schedule import Schedule, as_iteration, check_iteration


def test_names_hold_until_the_next_step():
    schedule = Schedule(((0, ('aux',)), (5, ('final', 'aux')), (9, ['final'])), 'cams')
    assert [schedule.at(i) for i in (0, 4)] == [('aux',)] * 2
    assert [schedule.at(i) for i in (5, 8)] == [('final', 'aux')] * 2
    assert schedule.at(9) == schedule.at(10**6) == schedule.at(None) == ('final',)
    assert schedule.starts(None) == (0, 5, 9)


def test_names_alone_always_hold():
    schedule = Schedule(('final', 'aux'), 'cams')
    assert schedule.at(0) == schedule.at(None) == ('final', 'aux')
    assert schedule.starts(None) == (0,)


def test_shares_of_the_training():
    schedule = Schedule(((0, ('aux',)), (0.5, ('final',))), 'cams of a label')
    assert schedule.starts(20) == (0, 10)
    assert schedule.at(9, 20) == ('aux',)
    assert schedule.at(10, 20) == schedule.at(None) == ('final',)
    with pytest.raises(ValueError, match=r'cams of a label.*share 0\.5.*length is unknown'):
        schedule.at(3)


def test_a_share_may_not_come_before_an_earlier_step():
    schedule = Schedule(((0, ('a',)), (500, ('b',)), (0.1, ('c',))), 'cams')
    assert schedule.at(2000, 20000) == ('c',)
    with pytest.raises(ValueError, match=r'increasing.*training of 1000 iterations'):
        schedule.at(200, 1000)


@pytest.mark.parametrize(
    'given',
    [
        (),
        'aux',
        ((1, ('final',)),),
        ((0, ()),),
        ((0, ('aux',)), (0, ('final',))),
        ((0, ('aux',)), (9, ('final',)), (5, ('aux',))),
        ((0, ('aux',)), 'final'),
        ((0, (1, 2)),),
        (0, 1),
    ],
)
def test_what_is_no_schedule_is_refused(given):
    with pytest.raises(ValueError, match=r'cams of PixelLabels as names, or as pairs'):
        Schedule(given, 'cams of PixelLabels')


@pytest.mark.parametrize('value', [-1, 1.5, True, '3', None, -0.1])
def test_what_is_no_iteration_is_refused(value):
    with pytest.raises(ValueError, match=r'start as an iteration.*share.*received'):
        check_iteration(value, 'start')
    with pytest.raises(ValueError, match='cams'):
        Schedule(((0, ('a',)), (value, ('b',))), 'cams')


@pytest.mark.parametrize(('value', 'iteration'), [(0, 0), (7, 7), (7.0, 7), (0.25, 5), (0.99, 19)])
def test_iterations(value, iteration):
    check_iteration(value, 'start')
    assert as_iteration(value, 20, 'start') == iteration
