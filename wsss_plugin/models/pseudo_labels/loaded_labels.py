"""What label makers that read files instead of CAMs have in common."""

from __future__ import annotations

from mmengine.model import BaseModule

from wsss_plugin.models.needs import Needs


class LoadedLabels(BaseModule):
    """Labels that the data set loads; they read nothing of the network, in no phase."""

    per_pixel = False  # needs no CAM, and is not scored against itself

    def needs(self, iteration: int | None, max_iters: int | None) -> Needs:  # noqa: ARG002
        """What it reads of the network: nothing.

        Args:
            iteration: Unused.
            max_iters: Unused.

        Returns:
            No names.
        """
        return Needs()

    def starts(self, max_iters: int | None) -> tuple[int, ...]:  # noqa: ARG002
        """Iterations at which it begins to read something else.

        Args:
            max_iters: Unused.

        Returns:
            Only 0.
        """
        return (0,)
