import math

from wsss_plugin.engine.benchmark import Comparison


def test_ratios_are_formed_within_a_repeat():
    comparison = Comparison()
    # The machine was ten times slower in the second repeat.
    for package, plain in ((1.0, 2.0), (10.0, 30.0), (1.0, 3.0)):
        comparison.add({'step': package}, {'step': plain})
    assert comparison.rows() == [('step', 1.0, 3.0, 3.0)]


def test_parts_that_one_lacks():
    comparison = Comparison()
    comparison.add({'a': 1.0}, {'a': 2.0, 'b': 1.0})
    (_, _, _, ratio), (name, package, plain, none) = comparison.rows()
    assert (ratio, name, package, plain) == (2.0, 'b', 0.0, 1.0)
    assert math.isnan(none)


def test_markdown():
    comparison = Comparison()
    comparison.add({'a': 0.5}, {'a': 1.0})
    assert comparison.markdown('MB').splitlines() == [
        '| part | package [MB] | plain [MB] | plain / package |',
        '|---|---:|---:|---:|',
        '| a | 0.5 | 1 | 2.00 |',
    ]


def test_the_package_alone_has_one_column():
    comparison = Comparison()
    comparison.add({'a': 0.5})
    assert comparison.markdown('MB').splitlines() == [
        '| part | package [MB] |',
        '|---|---:|',
        '| a | 0.5 |',
    ]
    (_, package, plain, ratio) = comparison.rows()[0]
    assert package == 0.5
    assert math.isnan(plain)
    assert math.isnan(ratio)
