"""Work on images in worker processes, with bounded memory."""

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
from typing import Any

from wsss_plugin.evaluation import crf_worker
from wsss_plugin.evaluation.crf_job import CRFJob


class WorkerPool:
    """Runs functions, each for one image, beside the main process.

    At most ``max_pending`` images wait or are worked on; :meth:`run` then waits for the oldest, so
    that neither score maps nor results pile up. Workers start at the first image, and end when
    this process does, whatever ends it.

    Args:
        num_workers: Number of processes.
        max_pending: Number of images held at a time, ``2 * num_workers`` if None.

    Raises:
        ValueError: If a number is below 1.
    """

    def __init__(self, num_workers: int = 2, max_pending: int | None = None) -> None:
        if num_workers < 1:
            raise ValueError(f'expected crf_workers >= 1, received {num_workers}')
        if max_pending is not None and max_pending < 1:
            raise ValueError(f'expected crf max_pending >= 1, received {max_pending}')
        self.num_workers = num_workers
        self.max_pending = 2 * num_workers if max_pending is None else max_pending
        self._executor: ProcessPoolExecutor | None = None
        self._pending: deque[CRFJob] = deque()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def num_pending(self) -> int:
        """Number of images whose result has not been handed over."""
        return len(self._pending)

    def run(
        self,
        function: Callable[..., Any],
        arguments: Sequence[Any],
        image_path: str,
        consume: Callable[[Any], None],
    ) -> None:
        """Starts the work on one image, after waiting for a free place.

        Args:
            function: A function of a module; its first argument is ``image_path``.
            arguments: Its further arguments.
            image_path: The image file.
            consume: Called in this process with the result, in the order in which work was
                started, during a later call of :meth:`run` or :meth:`drain`.

        Raises:
            RuntimeError: If the work on an earlier image failed; the message names that image.
        """
        while self._pending and (
            len(self._pending) >= self.max_pending or self._pending[0].future.done()
        ):
            self._finish_oldest()
        try:
            workers = self._workers()
            with _lone_start():
                future = workers.submit(named_work, function, image_path, *arguments)
        except BrokenProcessPool as error:
            raise self._ended(image_path) from error
        self._pending.append(CRFJob(future, image_path, consume))

    def drain(self) -> None:
        """Waits for every image and hands its result over.

        Raises:
            RuntimeError: If the work on an image failed; the message names the image.
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
            result = job.future.result()
        except BrokenProcessPool as error:
            raise self._ended(job.image_path) from error
        except BaseException:
            self.close()
            raise
        job.consume(result)

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


def named_work(function: Callable[..., Any], image_path: str, *arguments: Any) -> Any:
    """Calls a function for an image, whose name an error has.

    Args:
        function: The function.
        image_path: Its first argument.
        *arguments: Its further arguments.

    Returns:
        What it returns.

    Raises:
        RuntimeError: If it raises anything.
    """
    try:
        return function(image_path, *arguments)
    except Exception as error:
        raise RuntimeError(f'the CRF of {image_path} failed: {error}') from error
