"""Dense CRF in worker processes with bounded memory."""

from __future__ import annotations

import multiprocessing
import runpy
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

import numpy as np

from wsss_plugin.evaluation import crf_worker
from wsss_plugin.evaluation.crf_job import CRFJob
from wsss_plugin.evaluation.dense_crf import check_crf_settings, dense_crf, require_pydensecrf

_MOST_CHANNELS = 255  # 255 itself is the ignored label


class CRFPool:
    """Refines predictions by :func:`dense_crf` beside the main process.

    At most ``max_pending`` images wait or are worked on; :meth:`submit` then waits for the oldest,
    so neither score maps nor label maps pile up. Workers start at the first image, and end when
    this process does, whatever ends it.

    Args:
        num_workers: Number of processes.
        max_pending: Number of images held at a time, ``2 * num_workers`` if None.
        min_probability: Classes that nowhere exceed it do not enter the CRF. The default is where
            the unary is clipped, so that such a class could not have won.
        num_iter: Number of mean-field updates.
        gaussian: Standard deviation of position in pixels, and weight.
        bilateral: Standard deviation of position in pixels, of colour in grey levels, and weight.

    Raises:
        ValueError: If a setting is out of range.
        ImportError: If pydensecrf2 is missing.
    """

    def __init__(
        self,
        num_workers: int = 2,
        max_pending: int | None = None,
        min_probability: float = 1e-5,
        num_iter: int = 10,
        gaussian: Sequence[float] = (1, 1),
        bilateral: Sequence[float] = (121, 5, 4),
    ) -> None:
        check_crf_settings(num_iter, gaussian, bilateral)
        require_pydensecrf()
        if num_workers < 1:
            raise ValueError(f'expected crf_workers >= 1, received {num_workers}')
        if max_pending is not None and max_pending < 1:
            raise ValueError(f'expected crf max_pending >= 1, received {max_pending}')
        if not 0 <= min_probability < 1:
            raise ValueError(f'expected crf min_probability in [0, 1), received {min_probability}')
        self.num_workers = num_workers
        self.max_pending = 2 * num_workers if max_pending is None else max_pending
        self.min_probability = min_probability
        self.settings: dict = {
            'num_iter': num_iter,
            'gaussian': tuple(gaussian),
            'bilateral': tuple(bilateral),
        }
        self._executor: ProcessPoolExecutor | None = None
        self._pending: deque[CRFJob] = deque()

    def __enter__(self) -> CRFPool:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def num_pending(self) -> int:
        """Number of images whose label map has not been handed over."""
        return len(self._pending)

    def submit(
        self, image_path: str, probabilities: np.ndarray, consume: Callable[[np.ndarray], None]
    ) -> None:
        """Starts the CRF of one image, after waiting for a free place.

        Args:
            image_path: The image file, which a worker reads.
            probabilities: Probabilities (C, H, W) at the size of the image; float16 is enough.
            consume: Called in this process with the label map (H, W), uint8, in the order of
                submission, during a later call of :meth:`submit` or :meth:`drain`.

        Raises:
            ValueError: If the probabilities are no (C, H, W) array, or of more than 255 classes.
            RuntimeError: If the CRF of an earlier image failed; the message names that image.
        """
        if probabilities.ndim != 3:
            raise ValueError(
                f'expected probabilities (C, H, W) for the CRF of {image_path}, received '
                f'{probabilities.shape}'
            )
        if len(probabilities) > _MOST_CHANNELS:
            raise ValueError(
                f'expected probabilities of at most {_MOST_CHANNELS} classes for the CRF of '
                f'{image_path}, whose label map has 8 bits, received {len(probabilities)}; test '
                'without CRF'
            )
        while self._pending and (
            len(self._pending) >= self.max_pending or self._pending[0].future.done()
        ):
            self._finish_oldest()
        classes = np.flatnonzero(probabilities.max(axis=(1, 2)) > self.min_probability)
        arguments = (probabilities[classes], classes.astype(np.uint8), self.settings)
        try:
            workers = self._workers()
            with _lone_start():
                future = workers.submit(_label_map, image_path, *arguments)
        except BrokenProcessPool as error:
            raise self._ended(image_path) from error
        self._pending.append(CRFJob(future, image_path, consume))

    def drain(self) -> None:
        """Waits for every image and hands its label map over.

        Raises:
            RuntimeError: If the CRF of an image failed; the message names the image.
        """
        while self._pending:
            self._finish_oldest()

    def close(self) -> None:
        """Ends the workers; images not finished are given up."""
        self._pending.clear()
        executor, self._executor = self._executor, None
        if executor is None:
            return
        # Without waiting for images that nobody takes any more.
        for process in list((getattr(executor, '_processes', None) or {}).values()):
            process.kill()
        executor.shutdown(wait=True, cancel_futures=True)

    def _workers(self) -> ProcessPoolExecutor:
        # A forked process would inherit the threads and the device context of the model's process.
        if self._executor is None:
            in_main = threading.current_thread() is threading.main_thread()
            self._executor = ProcessPoolExecutor(
                self.num_workers,
                mp_context=multiprocessing.get_context('spawn'),
                initializer=runpy.run_path,
                initargs=(crf_worker.__file__, {'from_main_thread': in_main}, crf_worker.RUN_NAME),
            )
        return self._executor

    def _finish_oldest(self) -> None:
        job = self._pending.popleft()
        try:
            label = job.future.result()
        except BrokenProcessPool as error:
            raise self._ended(job.image_path) from error
        except BaseException:
            self.close()
            raise
        job.consume(label)

    def _ended(self, image_path: str) -> RuntimeError:
        self.close()
        return RuntimeError(
            f'expected a CRF worker for {image_path}, but the process ended; if memory ran out, '
            'use fewer crf_workers'
        )


@contextmanager
def _lone_start() -> Iterator[None]:
    """Starts workers that leave Ctrl-C to this process and do not run the main script again."""
    main = sys.modules['__main__']
    spec, file = getattr(main, '__spec__', None), getattr(main, '__file__', None)
    main.__spec__ = None
    if file is not None:
        del main.__file__
    # A process that is started inherits it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        main.__spec__ = spec
        if file is not None:
            main.__file__ = file
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _label_map(
    image_path: str, probabilities: np.ndarray, classes: np.ndarray, settings: dict
) -> np.ndarray:
    try:
        if len(classes) == 1:
            return np.full(probabilities.shape[1:], classes[0], dtype=np.uint8)
        refined = dense_crf(_read_rgb(image_path), probabilities, **settings)
        return classes[refined.argmax(axis=0)]
    except Exception as error:
        raise RuntimeError(f'the CRF of {image_path} failed: {error}') from error


def _read_rgb(image_path: str) -> np.ndarray:
    import mmcv

    # Pillow, because OpenCV fills the missing part of a truncated file and goes on.
    return mmcv.imread(image_path, channel_order='rgb', backend='pillow')
