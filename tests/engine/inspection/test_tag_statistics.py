"""Classes that tags cannot tell apart."""

from wsss_plugin.engine.inspection import TaggedSplit, split_overlap, tag_statistics


def _split(classes, tags, name='train', paths=None):
    paths = tuple(paths or (f'/{name}/{number}' for number in range(len(tags))))
    return TaggedSplit(name, tuple(classes), paths, paths, tuple(tags), (None,) * len(tags), ())


def test_always_together_and_never_without():
    tags = [(0, 1), (0, 1, 2), (2,), *[(2, 3)] * 5, None, ()]
    found = tag_statistics(_split('abcde', tags))
    assert found['always_together'] == [['a', 'b']]
    assert found['only_with'] == [['d', 'c']]  # a and b, of two images, are beside c by chance
    assert found['never'] == ['e']
    assert found['unknown'] == 1
    assert found['background_only'] == 1
    assert found['tags_per_image'] == round(16 / 9, 3)


def test_one_class_and_no_image():
    assert tag_statistics(_split('a', [(0,)]))['always_together'] == []
    empty = tag_statistics(_split('ab', []))
    assert (empty['images'], empty['tags_per_image']) == (0, 0.0)


def test_a_class_that_every_image_has():
    tags = [(0, 1)] * 3 + [(0,)] * 2 + [None]
    found = tag_statistics(_split('ab', tags))
    assert found['always'] == ['a']
    assert tag_statistics(_split('ab', tags[1:]))['always'] == []  # four may be chance
    assert tag_statistics(_split('ab', [*tags, ()]))['always'] == []


def test_no_overlap_is_no_entry():
    one = _split('a', [(0,)])
    assert split_overlap([one, _split('a', [(0,)], 'val')]) == []
    shared = _split('a', [(0,)], 'val', ['/train/0'])
    assert split_overlap([one, shared])[0]['same_file'] == ['/train/0']
    # One file in both is an overlap, no copy.
    assert split_overlap([one, shared], {'/train/0': 0})[0]['same_bytes'] == []
