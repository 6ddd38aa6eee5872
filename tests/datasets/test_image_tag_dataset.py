from __future__ import annotations

import json

import pytest

from wsss_plugin.datasets import ImageTagDataset
from wsss_plugin.errors import DataError


@pytest.fixture
def root(tmp_path, write_image):
    for name in ('a.png', 'sub folder/b 1.JPG', 'c.v2.png'):
        write_image(tmp_path / 'images' / name)
    return tmp_path


def _build(root, content, name='tags.csv', **kwargs):
    (root / name).write_text(content)
    return ImageTagDataset(name, data_root=str(root), **kwargs)


def _all_tags(dataset):
    samples = [dataset.get_data_info(index) for index in range(len(dataset))]
    return {
        sample['img_path'].rsplit('/', 1)[1]: [dataset.tag_classes[n] for n in sample['tags']]
        for sample in samples
    }


_EXPECTED = {'a.png': ['cat', 'dog'], 'b 1.JPG': ['cat'], 'c.v2.png': []}
_JSON = json.dumps({'a': ['dog', 'cat'], 'sub folder/b 1.JPG': ['cat'], 'c.v2': []})
_LABELS = json.dumps(
    {
        'classes': ['background', 'cat', 'dog'],
        'labels': {'a': [2, 1], 'sub folder/b 1': [1], 'c.v2': []},
    }
)


@pytest.mark.parametrize(
    ('name', 'content'),
    [
        ('tags.csv', 'image,tags\na,dog; cat\nsub folder/b 1.JPG,cat\nc.v2,\n'),
        ('tags.csv', '\ufefffilename,dog,cat\r\na.png,1,1\r\nsub folder/b 1,0,1\r\nc.v2,0,0\r\n'),
        ('tags.json', _JSON),
        ('tags.json', _LABELS),
    ],
)
def test_formats_and_discovered_classes(root, name, content):
    dataset = _build(root, content, name)
    assert dataset.metainfo['classes'] == ('background', 'cat', 'dog')
    assert len(dataset.metainfo['palette']) == 3
    assert _all_tags(dataset) == _EXPECTED


def test_given_classes_keep_their_order(root):
    classes = ('background', 'dog', 'bird', 'cat')
    dataset = _build(root, _JSON, 'tags.json', metainfo={'classes': classes})
    assert dataset.tag_classes == classes[1:]
    assert dataset[0]['gt_tags'].tolist() == [1, 0, 1]


def test_single_class(root):
    dataset = _build(root, 'image,crack\na,1\nsub folder/b 1,1\nc.v2,0\n')
    assert [dataset[index]['gt_tags'].tolist() for index in range(3)] == [[1], [0], [1]]


def test_masks_by_name(root):
    dataset = _build(root, _JSON, 'tags.json', test_mode=True)
    assert dataset[2]['seg_map_path'] == str(root / 'masks/sub folder/b 1.png')


def test_sample_through_the_pipeline(root, training_pipeline):
    dataset = _build(root, _JSON, 'tags.json', pipeline=training_pipeline)
    sample = dataset[2]
    assert sample['inputs']['view2'].shape == (3, 32, 32)
    assert sample['data_samples'].gt_tags.tolist() == [1, 0]


def test_unlisted_images(root):
    content = 'image,tags\na,dog\n'
    with pytest.raises(ValueError, match=r'tags\.csv: .*none for 2, among them c\.v2\.png.*ignore'):
        _build(root, content)
    assert _all_tags(_build(root, content, unlisted='ignore')) == {'a.png': ['dog']}
    background = _all_tags(_build(root, content, unlisted='background'))
    assert background == {'a.png': ['dog'], 'b 1.JPG': [], 'c.v2.png': []}
    with pytest.raises(ValueError, match=r'unlisted: expected one of'):
        _build(root, content, unlisted='drop')


def test_list_of_images(root):
    (root / 'train.txt').write_text('c.v2\n\na\n')
    dataset = _build(root, _JSON, 'tags.json', list_file='train.txt')
    assert _all_tags(dataset) == {'a.png': ['cat', 'dog'], 'c.v2.png': []}


def test_list_names_an_image_without_tags(root):
    (root / 'train.txt').write_text('a\nz\n')
    with pytest.raises(ValueError, match=r'train\.txt: .*tags\.json has tags.*1 others.* z; '):
        _build(root, _JSON, 'tags.json', list_file='train.txt')
    with pytest.raises(FileNotFoundError, match='list_file: expected a file at'):
        _build(root, _JSON, 'tags.json', list_file='nothing.txt')


def test_require_tags(root):
    with pytest.raises(ValueError, match=r'tags\.json: .*for image c\.v2, received none'):
        _build(root, _JSON, 'tags.json', require_tags=True)


def test_unknown_tag(root):
    with pytest.raises(ValueError, match=r"tags\.json: .*classes dog; received 'cat' for image a"):
        _build(root, _JSON, 'tags.json', metainfo={'classes': ('background', 'dog')})


@pytest.mark.parametrize(
    ('content', 'name', 'message'),
    [
        ('a,dog\n', 'tags.csv', 'expected a header'),
        ('', 'tags.csv', 'received .an empty file'),
        ('image,tags\na,dog,cat\n', 'tags.csv', r'2 columns in row 2, received 3; separate'),
        ('image,tags\na,dog\na,cat\n', 'tags.csv', 'one row per image, received a twice'),
        ('image,dog,cat\na,1,yes\n', 'tags.csv', 'expected 0 or 1 in every column of image a'),
        ('{"a": "dog"}', 'tags.json', 'expected an object'),
        ('{"a": ', 'tags.json', 'expected JSON'),
        ('{"labels": {"a": [1]}}', 'tags.json', "begins with 'background'"),
        (
            '{"classes": ["background", "dog"], "labels": {"a": [2]}}',
            'tags.json',
            r'from 1 to 1 for image a, received \[2\]',
        ),
        ('a dog', 'tags.txt', r'ending in \.csv or \.json'),
    ],
)
def test_files_not_understood(root, content, name, message):
    with pytest.raises(ValueError, match=rf'(?s){name}: .*{message}|{name}: {message}'):
        _build(root, content, name)


def test_named_image_is_missing_or_ambiguous(root, write_image):
    with pytest.raises(FileNotFoundError, match=r'tags\.csv: expected an image named z in'):
        _build(root, 'image,tags\nz,dog\n')
    write_image(root / 'images/a.jpg')
    with pytest.raises(ValueError, match=r'one image named a .*a\.jpg, a\.png; add the suffix'):
        _build(root, 'image,tags\na,dog\n')


def test_missing_tag_file(root):
    with pytest.raises(FileNotFoundError, match='ann_file: expected a file at'):
        ImageTagDataset('nothing.csv', data_root=str(root))


@pytest.mark.parametrize(
    ('name', 'content'),
    [
        ('tags.csv', 'image,tags\na,background\n'),
        ('tags.csv', 'image,Background,dog\na,0,1\n'),
        ('tags.json', '{"a": ["dog", "background"]}'),
        ('tags.json', '{"classes": ["background", "background"], "labels": {"a": [1]}}'),
    ],
)
@pytest.mark.parametrize('metainfo', [None, {'classes': ('background', 'dog')}])
def test_background_is_no_tag(root, name, content, metainfo):
    with pytest.raises(ValueError, match=rf'{name}: .*ackground.*empty list of tags'):
        _build(root, content, name, metainfo=metainfo, unlisted='ignore')


@pytest.mark.parametrize('encoding', ['cp1252', 'utf-16'])
@pytest.mark.parametrize(
    ('name', 'content'),
    [('tags.csv', 'image,tags\na,Kühe\n'), ('tags.json', '{"a": ["Kühe"]}'), ('list.txt', 'ä\n')],
)
def test_other_encodings_are_named(root, name, content, encoding):
    (root / 'tags.json').write_text(_JSON)
    (root / name).write_bytes(content.encode(encoding))
    tags, listed = ('tags.json', name) if name == 'list.txt' else (name, None)
    with pytest.raises(ValueError, match=rf'{name}: expected text in UTF-8'):
        ImageTagDataset(tags, data_root=str(root), list_file=listed)


def test_a_byte_order_mark_is_no_part_of_the_first_name(root):
    (root / 'train.txt').write_bytes('a\n'.encode('utf-8-sig'))
    (root / 'tags.json').write_bytes(_JSON.encode('utf-8-sig'))
    dataset = ImageTagDataset('tags.json', data_root=str(root), list_file='train.txt')
    assert _all_tags(dataset) == {'a.png': ['cat', 'dog']}


def test_an_image_under_two_names(root):
    content = 'image,tags\na,dog\na.png,cat\n'
    message = r'tags\.csv: expected one entry for the image a\.png, received a and a\.png'
    with pytest.raises(ValueError, match=message):
        _build(root, content, unlisted='ignore')
    (root / 'train.txt').write_text('a\n')
    assert _all_tags(_build(root, content, list_file='train.txt')) == {'a.png': ['dog']}


def test_a_label_map_numbers_classes_and_masks(root):
    content = {'classes': ['background', 'dog', 'bee', 'cat'], 'labels': {'a': [3]}}
    text = json.dumps(content)
    dataset = _build(root, text, 'tags.json', unlisted='ignore')
    assert dataset.metainfo['classes'] == ('background', 'dog', 'bee', 'cat')
    assert dataset.label_map is None
    # Another order changes the numbers of the classes, not those in the masks.
    chosen = {'classes': ('background', 'cat', 'dog')}
    dataset = _build(root, text, 'tags.json', unlisted='ignore', metainfo=chosen)
    assert dataset.label_map == {0: 0, 1: 2, 2: 255, 3: 1}
    assert _all_tags(dataset) == {'a.png': ['cat']}
    own = {'mask_classes': ('cat', 'dog'), 'metainfo': chosen}
    assert _build(root, text, 'tags.json', unlisted='ignore', **own).label_map is None


def test_tags_that_the_user_names_are_not_questioned(root):
    classes = {'classes': ('background', 'nan', '7', 'cups, tea', 'Cat', 'cat')}
    content = 'image,tags\na,"cups, tea; nan;7;cat;Cat"\n'
    dataset = _build(root, content, metainfo=classes, unlisted='ignore')
    assert dataset[0]['gt_tags'].tolist() == [1, 1, 1, 1, 1]


def test_hidden_files_do_not_count(root, write_image):
    write_image(root / 'images/.ipynb_checkpoints/a-checkpoint.png')
    (root / 'images/._a.png').write_bytes(b'')
    for unlisted in ('error', 'background'):
        assert _all_tags(_build(root, _JSON, 'tags.json', unlisted=unlisted)) == _EXPECTED


def test_names_of_windows(root):
    content = 'image,tags\n.\\a.png,cat\nsub folder\\b 1,cat\n'
    assert set(_all_tags(_build(root, content, unlisted='ignore'))) == {'a.png', 'b 1.JPG'}


@pytest.mark.parametrize('name', ['../images/a', '/images/a.png'])
def test_names_that_leave_the_folder(root, name):
    with pytest.raises(DataError, match=r"tags\.csv: entry '.*images/a.*may lead elsewhere"):
        _build(root, f'image,tags\n{name},cat\n', unlisted='ignore')


def test_a_name_twice_in_the_list(root):
    (root / 'train.txt').write_text('a\n\nc.v2\na\n')
    with pytest.raises(DataError, match=r"train\.txt: .*'a' in line 1 and in line 4"):
        _build(root, _JSON, 'tags.json', list_file='train.txt')
