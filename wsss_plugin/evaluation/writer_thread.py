"""Files that are written while the next images are worked on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class WriterThread:
    """Runs functions in one thread, in the order in which they are given.

    Compressing a file and waiting for the disk leave the interpreter to others. At most
    ``max_pending`` calls wait, so that results do not pile up.

    Args:
        max_pending: Number of calls held at a time.
    """

    def __init__(self, max_pending: int = 8) -> None:
        self.max_pending = max_pending
        self._executor: ThreadPoolExecutor | None = None
        self._pending: deque[Future[Any]] = deque()

    def run(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Starts a call, after waiting for a free place.

        Args:
            function: The function, such as one that writes a file.
            *arguments: Its arguments, which nobody changes any more.

        Raises:
            Exception: What an earlier call has raised.
        """
        while self._pending and (len(self._pending) >= self.max_pending or self._pending[0].done()):
            self._pending.popleft().result()
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix='writer')
        self._pending.append(self._executor.submit(function, *arguments))

    def drain(self) -> None:
        """Waits for all calls.

        Raises:
            Exception: What a call has raised.
        """
        while self._pending:
            self._pending.popleft().result()

    def close(self) -> None:
        """Finishes what was given and ends the thread; errors have been raised, or are not."""
        executor, self._executor = self._executor, None
        self._pending.clear()
        if executor is not None:
            executor.shutdown(wait=True)
