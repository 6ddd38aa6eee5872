"""Tag files, masks and sizes at random: the right result, or one error that names the file.

A short run is part of every run of the tests; the long one is ``pytest -m long tests/faults``.
"""

from __future__ import annotations

import csv
import io
import json
import runpy
import tempfile
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from wsss_plugin.datasets import COCOTagDataset, ImageTagDataset, VOCTagDataset
from wsss_plugin.errors import WSSSError

TOOL = Path(__file__).parents[2] / 'tools' / 'convert_coco.py'
SHORT, LONG = 40, 500
# Serialising collects garbage, which takes most of the time of a small data set.
PLAIN = {'serialize_data': False}
examples = pytest.mark.parametrize(
    'number',
    [pytest.param(SHORT, id='short'), pytest.param(LONG, id='long', marks=pytest.mark.long)],
)
IMAGES = ('a', 'b.v2', 'sub/c')
CLASSES = ('background', 'cat', 'dog')


@pytest.fixture(autouse=True)
def _registry_scope():
    from mmseg.utils import register_all_modules

    register_all_modules(init_default_scope=True)


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    """Three images, one of them in a sub-folder, and two that are none."""
    root = tmp_path_factory.mktemp('data')
    for name in (*IMAGES, '.hidden/a'):
        path = root / 'images' / f'{name}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (5, 4)).save(path)
    (root / 'images' / 'notes.txt').touch()
    return root


def run(check: Callable, strategy: st.SearchStrategy, number: int) -> None:
    """Checks a property of many examples, the same ones in every run."""
    chosen = settings(
        max_examples=number,
        derandomize=True,
        database=None,
        # What takes longer hangs.
        deadline=timedelta(seconds=30),
        suppress_health_check=list(HealthCheck),
    )
    chosen(given(strategy)(check))()


def build(kind: type, file: Path, **options: Any) -> Any:
    """The data set, or None where the package refuses the file in one line that names it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            return kind(file.name, data_root=str(file.parent), **PLAIN, **options)
    except WSSSError as error:
        check_message(error, file.name, *(options[k] for k in options if k.endswith('_file')))
        return None


def check_message(error: WSSSError, *names: str) -> None:
    message = str(error)
    assert any(name in message for name in names), message
    assert 20 < len(message) < 2000
    assert '\n' not in message
    assert 'expected' in message
    message.encode()


def tags_of(dataset: Any) -> dict[str, set[str]]:
    """Tags by the image's name without suffix."""
    found = {}
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        name = Path(info['img_path']).relative_to(dataset.data_prefix['img_path'])
        found[name.with_suffix('').as_posix()] = {dataset.tag_classes[n] for n in info['tags']}
    return found


def without_suffix(name: str) -> str:
    name = name.strip().replace('\\', '/').removeprefix('./')
    return name.removesuffix('.png')


# --- strategies --------------------------------------------------------------------------------

ODD = (
    *('', ' ', '\n', '\0', '\x1b[31m', '\ud800', '..', '.', '/', '\\', '"', "'", ';', ',', '|'),
    *('nan', 'null', '0', '1', '1.0', 'cat,dog', 'Cat', 'CAT ', 'background', '[', "['cat']", '{}'),
    *('../a', '/etc/passwd', 'C:\\a.png', './a', 'sub\\c', 'a.PNG', 'z', '.hidden/a', 'notes.txt'),
    *('x' * 300, 'y' * 140_000, '$x_{$', '猫', 'می‌خواهم', '"cat\nb.v2', '\ufeff', '\u2028'),
)
odd_texts = st.sampled_from(ODD)
names = st.sampled_from([*IMAGES, 'a.png', 'sub/c.png']) | odd_texts
tags = st.sampled_from(['cat', 'dog', 'potted plant']) | odd_texts
odd_numbers = st.sampled_from([0, 1, 2, -1, 1.0, 0.5, True, False, 10**30, 1e308, float('nan')])
odd_values = st.recursive(
    st.none() | odd_numbers | odd_texts | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(tags, inner, max_size=3),
    max_leaves=6,
)
deep = st.integers(1, 4).map(lambda n: '[' * 10**n) | st.just('{"a":' * 20_000)
broken = st.binary(max_size=60) | (deep | st.just('{"a": %s}' % ('7' * 5000))).map(str.encode)


@st.composite
def changed(draw, text: st.SearchStrategy[str]) -> bytes:
    """A text, mostly whole, with odd parts inserted or parts removed."""
    content = draw(text)
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2]))):
        start = draw(st.integers(0, len(content)))
        end = start + draw(st.integers(0, 8))
        content = content[:start] + draw(odd_texts | st.just('')) + content[end:]
    encoding = draw(st.sampled_from(['utf-8', 'utf-8', 'utf-8', 'utf-8-sig', 'utf-16', 'latin-1']))
    return content.encode(encoding, errors='ignore')


def mostly(usual: Any, other: st.SearchStrategy) -> st.SearchStrategy:
    """A usual value, and an odd one in one of eight cases."""
    return st.integers(0, 7).flatmap(lambda n: other if n == 0 else st.just(usual))


# --- CSV and JSON ------------------------------------------------------------------------------


@st.composite
def tables(draw) -> str:
    separator = draw(mostly(',', st.sampled_from([';', '\t', ', '])))
    as_text = draw(st.booleans())
    header = ['image', *(['tags'] if as_text else draw(st.lists(tags, max_size=3)) or ['cat'])]
    header[0] = draw(mostly('image', st.sampled_from(['', 'Image', 'filename', 'x'])))
    header[1] = draw(mostly(header[1], st.sampled_from(['label', 'Unnamed: 1', 'tags', ''])))
    rows = [header]
    for name in draw(st.lists(names, max_size=4)):
        cells = [';'.join(draw(st.lists(tags, max_size=2)))]
        if not as_text:
            cells = draw(st.lists(st.sampled_from('01'), min_size=1, max_size=len(header)))
        rows.append([name, *cells])
    if draw(st.booleans()):
        return '\n'.join(separator.join(row) for row in rows)
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator[0]).writerows(rows)
    return stream.getvalue()


@examples
def test_csv(root, number):
    def check(content: bytes) -> None:
        file = root / 'tags.csv'
        file.write_bytes(content)
        dataset = build(ImageTagDataset, file, unlisted='ignore')
        if dataset is None:
            return
        rows = [
            [cell.strip() for cell in row]
            for row in csv.reader(io.StringIO(content.decode('utf-8-sig'), newline=''))
        ]
        header, *rows = [row for row in rows if any(row)]
        expected = {}
        for name, *cells in rows:
            found = cells[0].split(';') if header[1].lower() == 'tags' else []
            found = found or [c for c, flag in zip(header[1:], cells, strict=True) if flag == '1']
            expected[without_suffix(name)] = {tag.strip() for tag in found if tag.strip()}
        assert len(expected) == len(rows)
        assert tags_of(dataset) == expected

    run(check, changed(tables()) | broken, number)


@st.composite
def tag_objects(draw) -> str:
    images = draw(st.lists(names, max_size=4))
    if draw(st.booleans()):
        entries = {name: draw(mostly(['cat'], st.lists(tags) | odd_values)) for name in images}
        return draw(mostly(json.dumps(entries), odd_values.map(json.dumps)))
    classes = draw(mostly(['background', 'dog', 'unused', 'cat'], st.lists(tags) | odd_values))
    labels = {name: draw(mostly([1], st.lists(odd_numbers) | odd_values)) for name in images}
    return json.dumps({'classes': classes, 'labels': labels})


@examples
def test_json(root, number):
    def check(content: bytes) -> None:
        file = root / 'tags.json'
        file.write_bytes(content)
        dataset = build(ImageTagDataset, file, unlisted='ignore')
        if dataset is None:
            return
        entries = json.loads(content.decode('utf-8-sig'))
        if isinstance(entries.get('labels'), dict):
            assert dataset.metainfo['classes'] == tuple(map(str.strip, entries['classes']))
            classes, entries = entries['classes'], entries['labels']
            entries = {name: [classes[label] for label in found] for name, found in entries.items()}
        expected = {
            without_suffix(n): {tag.strip() for tag in found} for n, found in entries.items()
        }
        assert tags_of(dataset) == expected

    run(check, changed(tag_objects()) | broken, number)


@examples
def test_lists_and_groups(root, number):
    (root / 'fixed.json').write_text(json.dumps({name: ['cat'] for name in IMAGES}))
    lists = st.lists(names, max_size=4).map('\n'.join)
    groups = st.dictionaries(names, mostly(['hard'], odd_values), max_size=3).map(json.dumps)

    def check(contents: tuple[bytes, bytes]) -> None:
        for name, content in zip(('list.txt', 'groups.json'), contents, strict=True):
            (root / name).write_bytes(content)
        options = {'list_file': 'list.txt', 'groups_file': 'groups.json'}
        dataset = build(ImageTagDataset, root / 'fixed.json', **options)
        if dataset is None:
            return
        lines = contents[0].decode('utf-8-sig').split('\n')
        assert set(tags_of(dataset)) == {line.strip() for line in lines if line.strip()}
        given = json.loads(contents[1].decode('utf-8-sig'))
        given = {without_suffix(name): tuple(found) for name, found in given.items()}
        for index, name in enumerate(sorted(tags_of(dataset))):
            assert dataset.get_data_info(index)['groups'] == given.get(name, ())

    run(check, st.tuples(changed(lists), changed(groups)), number)


# --- COCO and VOC ------------------------------------------------------------------------------


@st.composite
def instances(draw) -> str:
    def entry(**usual: Any) -> dict[str, Any]:
        odd = draw(st.sampled_from([*usual, *[None] * 12]))
        if odd is not None:
            usual[odd] = draw(odd_values | names)
        return usual

    square = [[0, 0, 3, 0, 3, 3, 0, 3]]
    content = {
        'images': [
            entry(id=number, file_name=f'{name}.png', height=4, width=5)
            for number, name in enumerate(IMAGES)
        ],
        'annotations': [
            entry(
                id=n, image_id=n % 3, category_id=1 + n % 2, area=9, iscrowd=0, segmentation=square
            )
            for n in range(draw(st.integers(0, 4)))
        ],
        'categories': [entry(id=1, name='cat'), entry(id=2, name='dog')],
    }
    key = draw(mostly('', st.sampled_from(sorted(content))))
    if key:
        content[key] = draw(odd_values | st.just([*content[key], *content[key][:1]]))
    return json.dumps(content)


@examples
def test_coco(root, number):
    tool = runpy.run_path(str(TOOL))['main']

    def check(content: bytes) -> None:
        file = root / 'instances.json'
        file.write_bytes(content)
        prefix = {'img_path': 'images', 'seg_map_path': 'masks'}
        dataset = build(COCOTagDataset, file, data_prefix=prefix, drop_empty=False)
        with tempfile.TemporaryDirectory(dir=root) as folder:
            out = Path(folder, 'out')
            converted = tool([str(file), str(out), '--workers', '1'])
            assert [path.name for path in Path(folder).iterdir()] in ([], ['out'])
            masks = sorted(path.relative_to(out).as_posix() for path in out.rglob('*.png'))
        if dataset is None:
            assert converted == 1
            assert not masks
            return
        parts = json.loads(content.decode('utf-8-sig'))
        categories = {entry['id']: entry['name'].strip() for entry in parts['categories']}
        expected: dict[str, set[str]] = {}
        for image in parts['images']:
            name = Path(image['file_name'].replace('\\', '/')).with_suffix('').as_posix()
            expected[name] = {
                categories[entry['category_id']]
                for entry in parts['annotations']
                if entry['image_id'] == image['id']
            }
        assert tags_of(dataset) == expected
        assert masks == (sorted(f'{name}.png' for name in expected) if converted == 0 else [])

    run(check, changed(instances()) | broken, number)


@st.composite
def annotations(draw) -> str:
    objects = ''.join(
        f'<object><name>{tag}</name><difficult>{draw(odd_texts)}</difficult></object>'
        for tag in draw(st.lists(tags, max_size=3))
    )
    encoding = draw(mostly('utf-8', st.sampled_from(['klingon', 'utf-32', 'gbk', 'latin-1', ''])))
    tag = draw(mostly('annotation', st.sampled_from(['html', 'object'])))
    return f'<?xml version="1.0" encoding="{encoding}"?><{tag}>{objects}</{tag}>'


@examples
def test_voc(root, number):
    (root / 'Annotations' / 'sub').mkdir(parents=True, exist_ok=True)
    classes = {'classes': (*CLASSES, 'potted plant')}
    options = {'metainfo': classes, 'require_tags': False, 'img_suffix': '.png'}
    options['data_prefix'] = {'img_path': 'images'}
    lines = st.lists(names, min_size=1, max_size=3).map('\n'.join)

    def check(contents: tuple[bytes, bytes]) -> None:
        for name in IMAGES:
            (root / 'Annotations' / f'{name}.xml').write_bytes(contents[1])
        file = root / 'list.txt'
        file.write_bytes(contents[0])
        try:
            dataset = VOCTagDataset('list.txt', data_root=str(root), **PLAIN, **options)
        except WSSSError as error:
            check_message(error, 'list.txt', '.xml', *IMAGES)
            return
        found = tags_of(dataset)
        text = contents[0].decode('utf-8-sig')
        assert set(found) == {without_suffix(n) for n in text.split('\n') if n.strip()}
        assert all(names <= set(classes['classes'][1:]) for names in found.values())

    run(check, st.tuples(changed(lines), changed(annotations()) | broken), number)


# --- masks and sizes ---------------------------------------------------------------------------

TEST = [{'type': 'LoadImageOrRaise'}, {'type': 'LoadAnnotations'}, {'type': 'PackWSSSInputs'}]
TRAIN = [
    {'type': 'LoadImageOrRaise'},
    {'type': 'LoadAnnotations'},
    {'type': 'RandomScaleCropWithBox', 'crop_size': 16},
    {'type': 'MultiCropViews'},
    {'type': 'PackWSSSInputs'},
]
sides = st.integers(1, 12) | st.integers(1, 64)
sizes = st.tuples(sides, sides | st.integers(1, 2048)).flatmap(st.permutations)


@st.composite
def masks(draw) -> tuple[tuple[int, int], np.ndarray, str, str, int | None]:
    """Size of the image, values, mode, format and, perhaps, where the file is cut."""
    size = tuple(draw(st.lists(sides, min_size=2, max_size=2)))
    mask_size = draw(mostly(size, st.tuples(sides, sides)))
    values = draw(mostly([0, 1, 2, 255], st.lists(st.integers(0, 255), min_size=1, max_size=4)))
    pattern = np.resize(np.asarray(values, np.uint8), mask_size)
    mode = draw(mostly('L', st.sampled_from(['P', '1', 'RGB', 'LA', 'I;16', 'I', 'F'])))
    kind = draw(mostly('PNG', st.sampled_from(['JPEG', 'WEBP', 'BMP', 'TIFF', 'GIF'])))
    return size, pattern, mode, kind, draw(mostly(None, st.integers(0, 200)))


def _encode(values: np.ndarray, mode: str, kind: str) -> bytes | None:
    stream = io.BytesIO()
    try:
        image = Image.fromarray(values.astype(np.uint16) if mode == 'I;16' else values)
        (image if mode in ('L', 'I;16') else image.convert(mode)).save(stream, format=kind)
    except (OSError, ValueError, KeyError):
        return None
    return stream.getvalue()


@examples
def test_masks(tmp_path, number):
    for folder in ('images', 'masks'):
        (tmp_path / folder).mkdir()
    (tmp_path / 'tags.json').write_text('{"a": ["cat"]}')
    file = tmp_path / 'masks' / 'a.png'

    def check(example: tuple) -> None:
        size, values, mode, kind, end = example
        content = _encode(values, mode, kind)
        if content is None:
            return
        Image.new('RGB', size[::-1]).save(tmp_path / 'images' / 'a.png')
        file.write_bytes(content[:end])
        options = {'metainfo': {'classes': CLASSES}, 'pipeline': TEST, 'test_mode': True, **PLAIN}
        try:
            dataset = ImageTagDataset('tags.json', data_root=str(tmp_path), **options)
            loaded = dataset[0]['data_samples'].gt_sem_seg.data[0].numpy()
        except WSSSError as error:
            check_message(error, str(file))
            good = mode == 'L' and kind == 'PNG' and end is None and size == values.shape
            assert not (good and set(np.unique(values)) <= {0, 1, 2, 255})
            return
        if mode == 'L' and end is None:
            assert np.array_equal(loaded, values)
        assert set(np.unique(loaded)) <= {0, 1, 2, 255}

    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        run(check, masks(), number)


@examples
def test_sizes(tmp_path, number):
    for folder in ('images', 'masks'):
        (tmp_path / folder).mkdir()
    (tmp_path / 'tags.json').write_text('{"a": ["cat"]}')

    def check(size: list[int]) -> None:
        height, width = size
        Image.new('RGB', (width, height)).save(tmp_path / 'images' / 'a.png')
        Image.new('L', (width, height), 1).save(tmp_path / 'masks' / 'a.png')
        options = {'metainfo': {'classes': CLASSES}, 'data_root': str(tmp_path), **PLAIN}
        scored = ImageTagDataset('tags.json', pipeline=TEST, test_mode=True, **options)[0]
        assert scored['inputs'].shape == (3, height, width)
        assert scored['data_samples'].gt_sem_seg.data.shape == (1, height, width)
        assert (scored['data_samples'].gt_sem_seg.data == 1).all()
        trained = ImageTagDataset('tags.json', pipeline=TRAIN, load_masks=True, **options)[0]
        assert {view.shape for view in trained['inputs'].values()} == {(3, 16, 16)}
        assert trained['data_samples'].gt_sem_seg.data.shape == (1, 16, 16)

    run(check, sizes, number)
