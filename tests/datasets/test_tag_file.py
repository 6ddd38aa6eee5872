from __future__ import annotations

import json

import pytest

from wsss_plugin.datasets.tag_file import TagFile
from wsss_plugin.errors import DataError, WSSSError


@pytest.fixture
def read(tmp_path):
    def run(content, name='t.csv'):
        path = tmp_path / name
        path.write_bytes(content.encode())
        file = TagFile.read(path)
        return file, file.found_classes(path)

    return run


def test_a_label_map_keeps_its_order_and_what_is_not_used(read):
    content = {'classes': ['background', 'dog', 'unused', 'cat'], 'labels': {'a': [3, 1]}}
    file, classes = read(json.dumps(content), 't.json')
    assert classes == ('background', 'dog', 'unused', 'cat')
    assert file.tags == {'a': ['cat', 'dog']}


def test_columns_are_classes_also_where_no_image_has_one(read):
    _, classes = read('image,cat,bee\na,1,0\n')
    assert classes == ('background', 'bee', 'cat')


def test_tags_of_a_json_are_stripped(read):
    assert read('{"a": [" cat"]}', 't.json')[1] == ('background', 'cat')


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('image,tags\na,"cat,dog"\n', r"'cat,dog' for image a, which looks like several"),
        ('image,tags\na,cat\nb,Cat\n', r"'cat' for image a and 'Cat' for image b"),
        ('image,tags\na,"cat\nb,dog\n', r'cannot be read up to line 3 .*close every quotation'),
        ('image,tags\na,"cat\nb,dog"\nc,cat\n', r'cells of one line .* line 3, .*\\nb,dog'),
        ('image,tags\na,"cat"dog\n', 'close every quotation mark'),
        ('image,tags\na,cat\n\n,dog\n', 'expected the name of an image in row 4, received none'),
        ('image,tags\na,cat\n \nb,dog,cat\n', 'expected 2 columns in row 4, received 3'),
        ('image,tags\na,cat\nb,dog\na,dog\n', 'received a twice, in line 2 and in line 4'),
        ('image,tags\na,' + 'x' * 131_073, r'line 2 \(field larger than field limit \(131072\)\)'),
        ('image;tags\na;cat\n', "received 'image;tags'"),
        ('image\ttags\na\tcat\n', r"received 'image\\ttags'"),
        ('image,cat,\na,1,0\n', "received '' in column 3"),
        ('image,cat,Unnamed: 2\na,1,0\n', "received 'Unnamed: 2' in column 3"),
        ('image,cat,dog,cat\na,1,0,0\n', "received the columns 'cat' and 'cat'"),
        ('image,cat,Cat\na,1,0\n', "received the columns 'cat' and 'Cat'"),
        ('image,label\na,0\n', "received the column 'label'; if it holds names, call it 'tags'"),
        ('image,Class\na,cat\n', "received the column 'Class'"),
        ('image,tags,split\na,cat,train\n', "received the column 'tags'; .*remove the others"),
        ('image,cat,dog\na,1.0,0\n', r'0 or 1 in every column of image a, received 1\.0,0'),
        ('image,0,1\na,1,0\n', "'0' in the header, which is a number"),
    ],
)
def test_csv_that_contradicts_itself(read, content, message):
    with pytest.raises(DataError, match=rf't\.csv: .*{message}'):
        read(content)


_MAP = '{"classes": ["background", "cat", "dog"], "labels": {"a": %s}}'


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('{"a": ["cat"], "a": ["dog"]}', r"'a' twice, with \['cat'\] and \['dog'\]; remove one"),
        ('{"labels": {"a": [1], "a": []}, "classes": ["background", "x"]}', "'a' twice"),
        (_MAP % '[1.0]', r'1 to 2 for image a, received \[1\.0\]; write a list of whole numbers'),
        (_MAP % '[true]', r'received \[True\]'),
        (_MAP % '["cat"]', r"received \['cat'\]"),
        (_MAP % '[0]', r'received \[0\]'),
        (_MAP % 'null', 'received None'),
        (_MAP % ('1' * 5000), 'expected JSON, received Exceeds the limit'),
        ('{"classes": ["background", "cat", "cat"], "labels": {}}', 'received cat more than once'),
        ('{"classes": ["background", 1], "labels": {}}', r"received \['background', 1\]"),
        ('{"classes": "background", "labels": {}}', "received 'background'; add it"),
        ('{"a": null}', 'received None for image a; write a list'),
        ('{"a": [null]}', r'received \[None\] for image a'),
        ('[["a", ["cat"]]]', 'expected an object'),
        ('[' * 100_000, 'expected JSON of a few levels'),
        ('{"a": ' * 100_000, 'expected JSON of a few levels'),
        ('{"a": ["1"]}', 'which is a number'),
        ('{"a": ["cat", ""]}', "received '' for image a, which is no name"),
    ],
)
def test_json_that_contradicts_itself(read, content, message):
    with pytest.raises(DataError, match=rf't\.json: .*{message}'):
        read(content, 't.json')


@pytest.mark.parametrize(
    ('name', 'content'),
    [
        ('t.csv', 'image,tags\na,cat|{long}\n'),
        ('t.csv', 'image,tags\n{long},cat\n{long},dog\n'),
        ('t.csv', 'image,{long}\na,{long}\n'),
        ('t.csv', '{long}'),
        ('t.json', '{{"a": "{long}"}}'),
        ('t.json', '{{"{long}": 1}}'),
        ('t.json', '{{"a": ["{long}|"]}}'),
        ('t.json', '"{long}"'),
        ('t.json', '{{"labels": {{}}, "classes": ["{long}"]}}'),
    ],
)
def test_errors_are_one_short_line(read, name, content):
    long = 'x' * (100_000 if name == 't.csv' else 10_000_000)
    with pytest.raises(WSSSError) as error:
        read(content.format(long=long), name)
    assert len(str(error.value)) < 1000
    assert str(error.value).isprintable()
