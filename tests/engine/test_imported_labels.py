from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

from wsss_plugin.engine.imported_labels import ImportedLabels
from wsss_plugin.errors import ConfigError, DataError, MissingFileError

_HEIGHT, _WIDTH = 8, 10
_CATEGORIES = ('void', 'dog', 'cat', 'bird')


def _square(left, top, right, bottom):
    return [left, top, right, top, right, bottom, left, bottom]


def _runs(rows, columns, compressed):
    mask = np.zeros((_HEIGHT, _WIDTH), np.uint8, order='F')
    mask[rows, columns] = 1
    if compressed:
        encoded = coco_mask.encode(mask)
        return dict(encoded, counts=encoded['counts'].decode())
    flat, counts, value = mask.ravel(order='F'), [], 0
    while flat.size:
        run = int(np.argmax(flat != value)) if (flat != value).any() else flat.size
        counts.append(run)
        flat, value = flat[run:], 1 - value
    return dict(size=[_HEIGHT, _WIDTH], counts=counts)


def _area(image, category, segmentation, **content):
    return dict(content, image_id=image, category_id=category, segmentation=segmentation)


@pytest.fixture
def images(tmp_path):
    """Images of a data set: four files, by name."""
    for name in 'abcd':
        Image.new('RGB', (_WIDTH, _HEIGHT)).save(tmp_path / f'{name}.png')
    return SimpleNamespace(
        names=tuple('abcd'),
        classes=('background', 'cat', 'dog'),
        palette=[],
        path=lambda name: str(tmp_path / f'{name}.png'),
    )


@pytest.fixture
def build(images, tmp_path):
    def run(*areas, files=('c.jpg', 'a.jpg'), change=None, **options):
        entries = [
            dict(id=n, file_name=file, height=_HEIGHT, width=_WIDTH)
            for n, file in enumerate(files, start=1)
        ]
        content = dict(
            images=entries,
            annotations=[dict(area, id=n) for n, area in enumerate(areas)],
            categories=[dict(id=n, name=name) for n, name in enumerate(_CATEGORIES)],
        )
        if change:
            change(content)
        (tmp_path / 'tool.json').write_text(json.dumps(content))
        return ImportedLabels(str(tmp_path / 'tool.json'), images, **options)

    return run


def _drawn(labels, name):
    return labels.label(labels.item(name)).numpy()


_KINDS = {
    'polygon': [_square(2, 1, 6, 4)],
    'compressed': _runs(slice(1, 4), slice(2, 6), True),
    'uncompressed': _runs(slice(1, 4), slice(2, 6), False),
    'polygons': [_square(2, 1, 4, 4), _square(4, 1, 6, 4)],
}


@pytest.mark.parametrize('shape', _KINDS.values(), ids=_KINDS)
# CVAT marks what a brush drew as a crowd; a tool may write no area or another.
@pytest.mark.parametrize('content', [{}, dict(iscrowd=1, area=0.5), dict(iscrowd=0, area=99)])
def test_all_kinds_of_areas(build, shape, content):
    labels = build(_area(1, 1, shape, **content))
    expected = np.zeros((_HEIGHT, _WIDTH), np.uint8)
    expected[1:4, 2:6] = 2
    assert labels.names == ('c',)
    assert np.array_equal(_drawn(labels, 'c'), expected)


def test_the_smaller_of_two_areas_is_kept_and_of_two_of_one_size_the_later(build):
    labels = build(
        _area(1, 1, [_square(0, 0, 2, 2)], area=50),
        _area(1, 2, [_square(0, 0, 6, 6)], area=1),
        _area(1, 0, _runs(slice(4, 6), slice(4, 7), True), iscrowd=1),
        _area(2, 1, [_square(0, 0, 3, 3)]),
        _area(2, 2, [_square(1, 1, 4, 4)]),
        undecided='void',
        ignore=77,
    )
    expected = np.zeros((_HEIGHT, _WIDTH), np.uint8)
    expected[:6, :6] = 1
    expected[:2, :2] = 2
    expected[4:6, 4:7] = 77
    assert np.array_equal(_drawn(labels, 'c'), expected)
    assert _drawn(labels, 'a')[2, 2] == 1


def test_images_that_nobody_has_looked_at(build):
    cat = _area(1, 2, _KINDS['polygon'])
    files = ('c.jpg', 'a.jpg', 'b.jpg')
    labels = build(cat, files=files)
    assert labels.names == ('c',)
    assert labels.left_out == ('a', 'b')
    labels = build(cat, files=files, empty=True)
    # In the order of the data set.
    assert labels.names == ('a', 'b', 'c')
    assert labels.left_out == ()
    assert not _drawn(labels, 'b').any()
    with pytest.raises(DataError, match='expected areas in at least one image, received none'):
        build()


def test_a_list_of_images(build, tmp_path):
    areas = [_area(number, 2, _KINDS['polygon']) for number in (1, 2)]
    names = tmp_path / 'done.txt'
    names.write_text('a.jpg\n')
    assert build(*areas, list_file=str(names)).names == ('a',)
    names.write_text('a\nd\n')
    with pytest.raises(DataError, match=r'done\.txt: expected names of images of .*received d;'):
        build(*areas, list_file=str(names))


def test_a_missing_file(images):
    with pytest.raises(MissingFileError, match='expected a COCO JSON at nowhere'):
        ImportedLabels('nowhere', images)


def test_what_a_tool_puts_before_the_names(build):
    areas = [_area(number, 2, _KINDS['polygon']) for number in (1, 2)]
    files = ('images\\cb0618f6-c.jpg', 'a.jpg')
    with pytest.raises(MissingFileError, match=r'as a, received 1 .* images/cb0618f6-c; .*--s'):
        build(*areas, files=files)
    assert build(*areas, files=files, strip='images/[0-9a-f]{8}-').names == ('a', 'c')
    with pytest.raises(DataError, match=r"received 'x-a\.jpg' and 'a\.jpg' for 'a'"):
        build(*areas, files=('x-a.jpg', 'a.jpg'), strip='x-')
    # What would leave nothing is the name itself.
    assert build(*areas, strip='a.jpg').names == ('a', 'c')
    with pytest.raises(ConfigError, match=r"--strip, received '\[': unterminated"):
        build(*areas, strip='[')


def test_unknown_categories(build):
    area = _KINDS['polygon']
    message = 'categories among cat, dog{}, received {}; rename'
    with pytest.raises(DataError, match=message.format('', 'bird, void')):
        build(_area(1, 0, area), _area(1, 3, area))
    with pytest.raises(DataError, match=message.format(', void', 'bird')):
        build(_area(1, 0, area), _area(2, 3, area), undecided='void')
    with pytest.raises(ConfigError, match="--undecided, received 'cat'"):
        build(_area(1, 2, area), undecided='cat')


def _other_size(content):
    content['images'][0]['width'] = 20


def _no_size(content):
    del content['images'][0]['height']


def _no_outline(content):
    content['annotations'][0]['segmentation'] = []


def _no_segmentation(content):
    del content['annotations'][0]['segmentation']


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (_other_size, 'expected the sizes .* received 1 others, among them c 8x20 for 8x10;'),
        (_no_size, "expected 'height' in image 1, received none"),
        (
            _no_outline,
            r"expected in annotation 0 of 'c\.jpg' polygons .* 8x10 pixels, received \[\];",
        ),
        (_no_segmentation, "expected 'segmentation' in annotation 0, received none"),
    ],
)
def test_what_does_not_fit(build, change, message):
    with pytest.raises(DataError, match=rf'tool\.json: {message}'):
        build(_area(1, 2, _KINDS['polygon']), change=change)
