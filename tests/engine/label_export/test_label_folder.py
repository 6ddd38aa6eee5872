from __future__ import annotations

import json
import multiprocessing
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsss_plugin.engine.label_export import LabelFolder, label_folder
from wsss_plugin.evaluation.crf_work import CRFWork


def _files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in Path(folder).rglob('*')
        if path.is_file()
    }


@pytest.fixture
def images(plain_images, tmp_path):
    return plain_images.PlainImages(tmp_path / 'images')


def test_writes_every_label_and_then_the_manifest(plain_images, images, tmp_path):
    manifest = plain_images.folder(tmp_path / 'out', images).write()
    total = 0
    for name in images.names:
        with Image.open(manifest.path(name)) as image:
            assert image.mode == 'P'
            assert image.getpalette()[:6] == [0, 0, 0, 200, 0, 0]
            written = np.asarray(image)
        assert (written == plain_images.label({'inputs': name}).numpy()).all()
        total += (written == 255).sum()
    content = json.loads((tmp_path / 'out' / 'manifest.json').read_text())
    assert content['ignored_share'] == pytest.approx(total / (7 * 600))
    assert content['images'] == list(images.names)
    assert content['checkpoint'] == 'c'
    assert content['version'] == label_folder.wsss_plugin.__version__


def test_goes_on_after_an_error_with_what_is_missing(plain_images, images, tmp_path):
    out = tmp_path / 'out'
    whole = plain_images.folder(tmp_path / 'whole', images)
    whole.write()
    images.read.clear()

    def fails(item):
        if len(images.read) == 4:
            raise KeyboardInterrupt
        return plain_images.label(item)

    interrupted = plain_images.folder(out, images)
    interrupted._label = fails
    with pytest.raises(KeyboardInterrupt):
        interrupted.write()
    assert not (out / 'manifest.json').exists()
    (out / images.names[0]).with_suffix('.png').write_bytes(b'cut')
    images.read.clear()
    plain_images.folder(out, images).write()
    assert images.read == [images.names[0], *images.names[3:]]
    assert _files(out) == _files(tmp_path / 'whole')


def test_what_a_killed_process_left_is_removed(plain_images, images, tmp_path):
    plain_images.folder(tmp_path / 'out', images).write()
    before = _files(tmp_path / 'out')
    (tmp_path / 'out' / '1' / '.1.png.999999999.part').write_bytes(b'half')
    plain_images.folder(tmp_path / 'out', images).write()
    assert _files(tmp_path / 'out') == before


@pytest.mark.parametrize(
    ('change', 'text'),
    [
        (dict(checkpoint='d'), "another checkpoint: 'c' instead of 'd'"),
        (dict(count=8), 'another count: 7 instead of 8'),
        (dict(ignore=200), 'another ignore: 255 instead of 200'),
    ],
)
def test_a_folder_of_other_settings_is_refused(plain_images, images, tmp_path, change, text):
    plain_images.folder(tmp_path / 'out', images).write()
    before = _files(tmp_path / 'out')
    with pytest.raises(FileExistsError, match=text):
        plain_images.folder(tmp_path / 'out', images, **change).write()
    assert _files(tmp_path / 'out') == before


def test_a_folder_of_other_files_is_refused(plain_images, images, tmp_path):
    (tmp_path / 'truth').mkdir()
    (tmp_path / 'truth' / 'a.png').write_bytes(b'kept')
    with pytest.raises(FileExistsError, match='truth: expected a new or empty folder'):
        plain_images.folder(tmp_path / 'truth', images).write()
    with pytest.raises(FileExistsError, match=r'a\.png: expected a new or empty folder'):
        plain_images.folder(tmp_path / 'truth' / 'a.png', images).write()
    assert _files(tmp_path / 'truth') == {'a.png': b'kept'}


def test_a_disk_without_room_is_refused_at_the_start(plain_images, images, tmp_path, monkeypatch):
    usage = namedtuple('usage', 'free')
    # Seven small files of 20 x 30 pixels.
    need = 7 * (4096 + 60)
    monkeypatch.setattr(label_folder.shutil, 'disk_usage', lambda _: usage(need - 1))
    with pytest.raises(OSError, match='expected room for 1 MB of pseudo labels'):
        plain_images.folder(tmp_path / 'out', images).write()
    assert not images.read
    monkeypatch.setattr(label_folder.shutil, 'disk_usage', lambda _: usage(need))
    plain_images.folder(tmp_path / 'out', images).write()


def test_ignored_pixels_have_the_value_that_was_asked_for(plain_images, images, tmp_path):
    manifest = plain_images.folder(tmp_path / 'out', images, ignore=200).write()
    usual = plain_images.folder(tmp_path / 'usual', images).write()
    assert manifest.content['ignored_share'] == usual.content['ignored_share'] > 0
    for name in images.names:
        label = plain_images.label({'inputs': name}).numpy()
        written = np.asarray(Image.open(manifest.path(name)))
        assert (written == np.where(label == 255, 200, label)).all()


@pytest.mark.parametrize('ignore', [1, 256])
def test_the_ignored_value_is_no_class(plain_images, images, tmp_path, ignore):
    with pytest.raises(ValueError, match='expected --ignore from 2'):
        plain_images.folder(tmp_path / 'out', images, ignore=ignore)


def test_two_processes_share_the_images(plain_images, images, tmp_path):
    plain_images.folder(tmp_path / 'alone', images).write()
    # Forks need not import anything.
    context = multiprocessing.get_context('fork')
    results = context.Queue()
    arguments = [str(tmp_path / 'rendezvous'), str(tmp_path / 'two'), results]
    processes = [
        context.Process(target=plain_images.write_in_one_of_two, args=(rank, *arguments))
        for rank in range(2)
    ]
    for process in processes:
        process.start()
    found = sorted(results.get(timeout=100) for _ in processes)
    for process in processes:
        process.join(100)
    assert [process.exitcode for process in processes] == [0, 0]
    for rank, number, read, refusal in found:
        assert number == 7
        assert read == list(images.names[rank::2])
        assert 'another checkpoint' in refusal
    assert _files(tmp_path / 'two') == _files(tmp_path / 'alone')


def _ones(_path, value):
    return np.full((20, 30), value)


def test_work_in_a_pool_is_written_when_it_is_done(plain_images, images, tmp_path, monkeypatch):
    class Pool:
        def __init__(self, workers):
            self.workers, self.waiting, self.closed = workers, [], False
            pools.append(self)

        def run(self, function, arguments, image_path, consume):
            self.waiting.append(lambda: consume(function(image_path, *arguments)))

        def drain(self):
            for one in self.waiting:
                one()

        def close(self):
            self.closed = True

    pools = []
    monkeypatch.setattr(label_folder, 'WorkerPool', Pool)

    def label(item):
        number = int(item['inputs'][-1])
        # Of an image without classes nothing is left to do.
        return plain_images.label(item) if number == 3 else CRFWork(_ones, 'a.jpg', (number % 2,))

    settings = {**plain_images.SETTINGS, 'count': 7}
    pooled = LabelFolder(tmp_path / 'out', images, label, settings, workers=2).write()
    (pool,) = pools
    assert (pool.workers, len(pool.waiting), pool.closed) == (2, 6, True)
    alone = LabelFolder(tmp_path / 'alone', images, label, settings).write()
    assert pooled.content['ignored_share'] == alone.content['ignored_share'] > 0
    assert _files(tmp_path / 'out') == _files(tmp_path / 'alone')

    def fails(item):
        if len(pools[-1].waiting) == 2:
            raise KeyboardInterrupt
        return label(item)

    with pytest.raises(KeyboardInterrupt):
        LabelFolder(tmp_path / 'cut', images, fails, settings, workers=2).write()
    assert pools[-1].closed
    assert not list((tmp_path / 'cut').rglob('*.png'))


class _Together:
    """Labels images one by one or several together, and notes how many."""

    def __init__(self, label):
        self._label, self.sizes = label, []

    def __call__(self, item):
        self.sizes.append(1)
        return self._label(item)

    def many(self, items):
        self.sizes.append(len(items))
        return [self._label(item) for item in items]


def test_loaders_and_batches_write_the_same(plain_images, images, tmp_path):
    settings = {**plain_images.SETTINGS, 'count': 7}
    alone = plain_images.folder(tmp_path / 'alone', images).write()
    together = _Together(plain_images.label)
    images.read.clear()
    found = LabelFolder(
        tmp_path / 'out', images, together, settings, loaders=2, batch_size=3
    ).write()
    assert together.sizes == [3, 3, 1]
    assert images.read == []
    assert found.content == alone.content
    assert _files(tmp_path / 'out') == _files(tmp_path / 'alone')
    # A source that labels one image at a time is given one at a time.
    LabelFolder(tmp_path / 'one', images, plain_images.label, settings, batch_size=3).write()
    assert _files(tmp_path / 'one') == _files(tmp_path / 'alone')


def test_what_was_labelled_before_an_error_is_written(plain_images, images, tmp_path):
    settings = {**plain_images.SETTINGS, 'count': 7}

    def fails(name):
        if name == images.names[5]:
            raise OSError(f'{name}.jpg is damaged')
        return {'inputs': name}

    images.item = fails
    together = _Together(plain_images.label)
    with pytest.raises(OSError, match=r'1/5\.jpg is damaged'):
        LabelFolder(tmp_path / 'out', images, together, settings, loaders=1, batch_size=2).write()
    assert together.sizes == [2, 2]
    written = {f'{name}.png' for name in images.names[:4]}
    assert set(_files(tmp_path / 'out')) == {'settings.json', *written}
