from __future__ import annotations

import pytest

from wsss_plugin.datasets import VOCTagDataset
from wsss_plugin.errors import DataError


def _object(name: str, difficult: int | None = 0) -> str:
    flag = '' if difficult is None else f'<difficult>{difficult}</difficult>'
    return f'<object><name>{name}</name>{flag}<bndbox><xmin>1</xmin></bndbox></object>'


@pytest.fixture
def root(tmp_path):
    (tmp_path / 'JPEGImages').mkdir()
    (tmp_path / 'Annotations').mkdir()
    contents = {
        '2007_000001': _object('dog') + _object('cat') + _object('dog'),
        '2007_000002': _object('person', 1) + _object('tvmonitor', None),
        'only_difficult': _object('sheep', 1),
    }
    for name, objects in contents.items():
        path = tmp_path / f'Annotations/{name}.xml'
        path.write_text(f'<annotation><filename>{name}.jpg</filename>{objects}</annotation>')
    (tmp_path / 'list.txt').write_text('2007_000001\n2007_000002\n\n')
    return tmp_path


def _build(root, **kwargs):
    return VOCTagDataset(**{'ann_file': 'list.txt', 'data_root': str(root), **kwargs})


def _tags(dataset, index):
    return {dataset.tag_classes[number] for number in dataset.get_cat_ids(index)}


def test_tags_of_the_annotations(root):
    dataset = _build(root)
    assert len(dataset) == 2
    assert len(dataset.tag_classes) == 20
    assert _tags(dataset, 0) == {'cat', 'dog'}
    assert _tags(dataset, 1) == {'person', 'tvmonitor'}
    sample = dataset[1]
    assert sample['img_path'] == str(root / 'JPEGImages/2007_000002.jpg')
    assert sample['gt_tags'].shape == (20,)
    assert sample['gt_tags'].nonzero()[0].tolist() == [14, 19]
    assert 'seg_map_path' not in sample


def test_difficult_objects_by_option(root):
    assert _tags(_build(root, use_difficult=False), 1) == {'tvmonitor'}
    (root / 'list.txt').write_text('only_difficult\n')
    assert _tags(_build(root), 0) == {'sheep'}
    with pytest.raises(ValueError, match=r'only_difficult\.xml: .*received none; add a tag'):
        _build(root, use_difficult=False)
    dataset = _build(root, use_difficult=False, require_tags=False)
    assert dataset[0]['gt_tags'].sum() == 0


def test_lists_of_paths(root):
    line = '/JPEGImages/2007_000001.jpg /SegmentationClassAug/2007_000001.png\n'
    (root / 'list.txt').write_text(line)
    dataset = _build(root, test_mode=True, data_prefix={'seg_map_path': 'SegmentationClassAug'})
    assert dataset[0]['img_path'] == str(root / 'JPEGImages/2007_000001.jpg')
    assert dataset[0]['seg_map_path'] == str(root / 'SegmentationClassAug/2007_000001.png')


def test_names_with_blanks(root):
    (root / 'Annotations/2007_000001.xml').rename(root / 'Annotations/IMG 001.xml')
    for line in ('IMG 001', '/JPEGImages/IMG 001.jpg\t/Masks/IMG 001.png'):
        (root / 'list.txt').write_text(f'{line}\n')
        dataset = _build(root)
        assert dataset[0]['img_path'] == str(root / 'JPEGImages/IMG 001.jpg')
        assert _tags(dataset, 0) == {'cat', 'dog'}


def test_unknown_tag_names_file_tag_and_classes(root):
    (root / 'Annotations/2007_000002.xml').write_text(f'<annotation>{_object("hand")}</annotation>')
    with pytest.raises(ValueError, match=r"2007_000002\.xml: .*aeroplane.*'hand'.*metainfo"):
        _build(root)


def test_subset_of_classes(root):
    dataset = _build(root, metainfo={'classes': ('background', 'dog', 'person')})
    assert dataset.tag_classes == ('dog', 'person')
    assert [dataset.get_cat_ids(index) for index in range(2)] == [[0], [1]]


def test_missing_annotation(root):
    (root / 'list.txt').write_text('2011_000009\n')
    with pytest.raises(FileNotFoundError, match=r'2011_000009\.xml: .*annotation_path'):
        _build(root)
    sample = _build(root, test_mode=True)[0]
    assert 'gt_tags' not in sample


def test_damaged_annotation(root):
    (root / 'Annotations/2007_000001.xml').write_text('<annotation><object>')
    with pytest.raises(ValueError, match=r'2007_000001\.xml: expected a VOC annotation in XML'):
        _build(root)


def test_classes_of_the_users_own(root):
    (root / 'list.txt').write_text('2007_000001\n')
    own = {'classes': ('background', 'dog', 'cat', 'unicorn')}
    dataset = _build(root, metainfo=own)
    assert dataset[0]['gt_tags'].tolist() == [1, 1, 0]
    assert dataset.label_map is None
    assert len(dataset.metainfo['palette']) == 4
    (root / 'list.txt').write_text('2007_000002\n')
    with pytest.raises(ValueError, match=r'among the classes cat, dog, unicorn; received'):
        _build(root, metainfo=own)


def test_some_of_the_classes_of_voc(root):
    (root / 'list.txt').write_text('2007_000001\n')
    dataset = _build(root, metainfo={'classes': ('background', 'dog')})
    assert dataset[0]['gt_tags'].tolist() == [1]
    assert dataset.label_map[8] == 255
    assert dataset.label_map[12] == 1


def test_masks_of_the_users_own_numbering(root):
    (root / 'list.txt').write_text('2007_000001\n')
    own = {'classes': ('background', 'cat', 'dog')}
    dataset = _build(root, metainfo=own, mask_classes=('cat', 'dog'))
    assert dataset.label_map is None
    assert dataset.metainfo['palette'] == [[0, 0, 0], [64, 0, 0], [64, 0, 128]]
    dataset = _build(root, metainfo=own, mask_classes=['dog', 'unicorn', 'cat'])
    assert dataset.label_map == {0: 0, 1: 2, 2: 255, 3: 1}
    assert dataset[0]['gt_tags'].tolist() == [1, 1]
    dataset = _build(root, metainfo={'classes': ('background', 'dog')}, mask_classes=('dog', 'cat'))
    assert dataset.label_map == {0: 0, 1: 1, 2: 255}


def test_class_that_the_masks_name_counts_as_absent_in_the_tags(root):
    own = {'classes': ('background', 'unicorn')}
    (root / 'Annotations/2007_000001.xml').write_text(
        f'<annotation>{_object("hand")}{_object("unicorn")}</annotation>'
    )
    (root / 'list.txt').write_text('2007_000001\n')
    assert _tags(_build(root, metainfo=own, mask_classes=('hand', 'unicorn')), 0) == {'unicorn'}
    with pytest.raises(ValueError, match="classes unicorn; received 'hand'"):
        _build(root, metainfo=own)


@pytest.mark.parametrize('names', [('background', 'cat', 'dog'), ('cat', 'dgo'), 'cat'])
def test_names_of_the_masks_values_that_do_not_fit(root, names):
    own = {'classes': ('background', 'cat', 'dog')}
    with pytest.raises(ValueError, match=r'mask_classes: expected the names of .*received .*cat'):
        _build(root, metainfo=own, mask_classes=names)


def test_encoding_of_the_list(root):
    (root / 'list.txt').write_bytes('2007_000001\n'.encode('utf-8-sig'))
    assert _tags(_build(root), 0) == {'cat', 'dog'}
    (root / 'list.txt').write_bytes('Kühe\n'.encode('cp1252'))
    with pytest.raises(ValueError, match=r'list\.txt: expected text in UTF-8'):
        _build(root)


def _add(root, name, tag):
    path = root / f'Annotations/{name}.xml'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'<annotation>{_object(tag)}</annotation>')


def test_sub_folders(root):
    for name, tag in (('0001', 'dog'), ('cam1/0001', 'cat'), ('cam2/0001', 'sheep')):
        _add(root, name, tag)
    paths = '/data/JPEGImages/cam1/0001.jpg /data/Masks/cam1/0001.png\nJPEGImages/cam2/0001\n'
    for lines in ('cam1/0001\ncam2\\0001\n', paths):
        (root / 'list.txt').write_text('0001.jpg\n' + lines)
        dataset = _build(root, test_mode=True)
        names = ['0001', 'cam1/0001', 'cam2/0001']
        samples = [dataset[index] for index in range(3)]
        assert [sample['img_path'] for sample in samples] == [
            str(root / f'JPEGImages/{name}.jpg') for name in names
        ]
        assert [sample['seg_map_path'] for sample in samples] == [
            str(root / f'SegmentationClass/{name}.png') for name in names
        ]
        assert [_tags(dataset, index) for index in range(3)] == [{'dog'}, {'cat'}, {'sheep'}]


@pytest.mark.parametrize(
    ('lines', 'message'),
    [
        ('2007_000001\n2007_000001\n', "'2007_000001' in line 1 and in line 2"),
        ('2007_000001\n\nJPEGImages/2007_000001.jpg\n', 'for line 1 and line 3; remove'),
        ('../2007_000001\n', 'line 1: .*may lead elsewhere'),
        ('/home/2007_000001\n', 'line 1: .*may lead elsewhere'),
    ],
)
def test_lists_that_collide_or_lead_elsewhere(root, lines, message):
    (root / 'list.txt').write_text(lines)
    with pytest.raises(DataError, match=rf'list\.txt: .*{message}'):
        _build(root)


@pytest.mark.parametrize('name', ['Annotations/a.xml', 'JPEGImages/a.jpg'])
def test_links_out_of_the_data_set(root, tmp_path_factory, name):
    outside = tmp_path_factory.mktemp('outside') / 'file'
    _add(root, 'a', 'dog')
    outside.write_text((root / 'Annotations/a.xml').read_text())
    (root / name).unlink(missing_ok=True)
    (root / name).symlink_to(outside)
    (root / 'list.txt').write_text('a\n')
    with pytest.raises(DataError, match=r'list\.txt: line 1: .*a link to .*allow_outside=True'):
        _build(root)
    assert _tags(_build(root, allow_outside=True), 0) == {'dog'}
