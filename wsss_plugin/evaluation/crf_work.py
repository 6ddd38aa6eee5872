"""Work on one image that can be done in another process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from wsss_plugin.evaluation.worker_pool import WorkerPool, named_work


class CRFWork(NamedTuple):
    """What is left to do for an image, without the network.

    Attributes:
        function: A function of a module, whose first argument is the image file.
        image_path: The image file.
        arguments: The further arguments.
    """

    function: Callable[..., Any]
    image_path: str
    arguments: tuple[Any, ...]

    def do(self) -> Any:
        """Does it in this process.

        Returns:
            The result.

        Raises:
            RuntimeError: If it failed; names the image.
        """
        return named_work(self.function, self.image_path, *self.arguments)

    def start(self, pool: WorkerPool | None, consume: Callable[[Any], None]) -> None:
        """Starts it in a pool, or does it here where there is none.

        Args:
            pool: The pool.
            consume: Takes the result, perhaps later.
        """
        if pool is None:
            consume(self.do())
        else:
            pool.run(self.function, self.arguments, self.image_path, consume)
