"""CRFPool: same labels as in this process, bounded, ordered, errors with the image's name."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wsss_plugin.evaluation.crf_pool import CRFPool
from wsss_plugin.evaluation.dense_crf import dense_crf

DATA = Path(__file__).parents[1] / 'data' / 'crf.npz'
SETTINGS = {'num_iter': 10, 'gaussian': (3, 3), 'bilateral': (80, 13, 10)}


@pytest.fixture(scope='module')
def saved():
    return np.load(DATA)


@pytest.fixture
def image_path(saved, tmp_path):
    path = tmp_path / 'street.png'
    Image.fromarray(saved['img']).save(path)
    return str(path)


def test_labels_order_and_bound(saved, image_path):
    taken, pending = [], []
    # A fourth class without mass, in second place, must neither enter nor shift the others.
    prob = np.insert(saved['prob'], 1, 0, axis=0)
    only = np.zeros((6, 40, 48), np.float16)
    only[5] = 1
    with CRFPool(num_workers=1, max_pending=2, **SETTINGS) as pool:
        for index in range(4):
            scores = only if index == 2 else prob
            pool.submit(image_path, scores, lambda label, i=index: taken.append((i, label)))
            pending.append(pool.num_pending)
        pool.drain()
        assert pool.num_pending == 0
    assert max(pending) <= 2
    assert [index for index, _ in taken] == [0, 1, 2, 3]
    expected = dense_crf(saved['img'], saved['prob'], **SETTINGS).argmax(0)
    expected = np.array([0, 2, 3])[expected]
    assert taken[0][1].dtype == np.uint8
    assert (taken[0][1] == expected).all()
    assert (taken[2][1] == 5).all()


def test_error_names_the_image_and_ends_the_workers(saved, image_path, tmp_path):
    broken = tmp_path / 'broken.jpg'
    broken.write_bytes(b'no image')
    for path, pattern in ((str(broken), 'broken.jpg failed'), (image_path, 'street.png failed')):
        pool = CRFPool(num_workers=1)
        # The second file is fine but larger than its probabilities.
        pool.submit(path, saved['prob'][:, 1:], print)
        pool.submit(path, saved['prob'][:, 1:], print)
        (worker,) = pool._executor._processes.values()
        with pytest.raises(RuntimeError, match=pattern):
            pool.drain()
        assert pool.num_pending == 0
        assert not worker.is_alive()


def test_nothing_is_started_before_the_first_image():
    pool = CRFPool(num_workers=1)
    pool.drain()
    pool.close()
    assert pool._executor is None


@pytest.mark.parametrize(
    'arguments',
    [
        {'num_workers': 0},
        {'max_pending': 0},
        {'min_probability': 1.0},
        {'num_iter': -1},
        {'gaussian': (1,)},
    ],
)
def test_settings_are_checked_at_once(arguments):
    with pytest.raises(ValueError, match='expected crf'):
        CRFPool(**arguments)


def test_shape_is_checked_at_once():
    with pytest.raises(ValueError, match=r'a\.jpg'):
        CRFPool().submit('a.jpg', np.zeros((3, 4)), print)


def test_more_classes_than_a_label_map_of_8_bits_holds_are_refused():
    with pytest.raises(ValueError, match=r'at most 255 classes .*a\.jpg.*received 256'):
        CRFPool().submit('a.jpg', np.zeros((256, 2, 2), np.float16), print)


_PARENT = """
import sys, time
import numpy as np
from wsss_plugin.evaluation.crf_pool import CRFPool

pool = CRFPool(num_workers=2)
for _ in range(4):
    # As long as a compiled function with a large image takes.
    pool.submit(sys.argv[1], np.full((2, 600, 900), 0.5, np.float32), print)
print('workers', *[process.pid for process in pool._executor._processes.values()], flush=True)
pool.drain()
"""


def _is_alive(process):
    try:
        state = Path(f'/proc/{process}/stat').read_text().rpartition(')')[2].split()[0]
    except FileNotFoundError:
        return False
    return state != 'Z'


@pytest.mark.skipif(not Path('/proc/self/stat').is_file(), reason='needs /proc')
@pytest.mark.parametrize(
    'how', [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.long)]
)
def test_workers_end_when_their_parent_does(tmp_path, how):
    image = tmp_path / 'large.png'
    Image.fromarray(np.zeros((600, 900, 3), np.uint8)).save(image)
    parent = subprocess.Popen(
        [sys.executable, '-c', _PARENT, str(image)], stdout=subprocess.PIPE, text=True
    )
    # A toolbox may have something to say of its own.
    (said,) = itertools.islice((line for line in parent.stdout if line.startswith('workers ')), 1)
    workers = [int(word) for word in said.split()[1:]]
    assert len(workers) == 2
    assert all(_is_alive(worker) for worker in workers)
    # Long enough for the watch to begin, too short for the package to be imported.
    time.sleep(0.5)
    parent.send_signal(how)
    parent.wait()
    end = time.monotonic() + 5
    while time.monotonic() < end and any(_is_alive(worker) for worker in workers):
        time.sleep(0.05)
    left = [worker for worker in workers if _is_alive(worker)]
    for worker in left:
        os.kill(worker, signal.SIGKILL)
    assert not left


def test_close_does_not_wait_for_images(saved, image_path):
    pool = CRFPool(num_workers=1)
    pool.submit(image_path, saved['prob'], print)
    (worker,) = pool._executor._processes.values()
    began = time.monotonic()
    pool.close()
    assert time.monotonic() - began < 3
    assert not worker.is_alive()
    assert pool.num_pending == 0
