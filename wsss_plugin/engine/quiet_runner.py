"""MMEngine's runner without hundreds of lines before the first iteration."""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from typing import Any

from mmengine.logging import MMLogger
from mmengine.runner import Runner
from torch import nn

from wsss_plugin.engine.head_inputs import check_head_inputs
from wsss_plugin.engine.terminal import hide_toolbox_warnings, quiet_terminal

_BEGINNINGS = ('before_train', 'before_val', 'before_test')
# Warnings of the toolbox while it is built, about its own code.
_OF_THE_TOOLBOX = ('``build_loss`` would be deprecated', 'The draw is False')


class QuietRunner(Runner):
    """MMEngine's runner, which says nothing on the terminal until its loop begins, but warnings.

    Environment, config and hooks are in the log file. Arguments are those of ``Runner``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._silence = ExitStack()
        with warnings.catch_warnings():
            for text in _OF_THE_TOOLBOX:
                warnings.filterwarnings('ignore', message=text)
            super().__init__(*args, **kwargs)

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        """Builds the logger and silences its terminal.

        Args:
            *args: As of ``Runner``.
            **kwargs: As of ``Runner``.

        Returns:
            MMLogger: The logger.
        """
        logger = super().build_logger(*args, **kwargs)
        hide_toolbox_warnings(logger)
        self._silence.enter_context(quiet_terminal(logger))
        return logger

    def build_model(self, model: nn.Module | dict[str, Any]) -> nn.Module:
        """Builds the model and checks that its parts fit each other.

        Args:
            model (nn.Module | dict): The model or its config.

        Returns:
            nn.Module: The model.

        Raises:
            ConfigError: If a head does not fit backbone and neck.
        """
        built = super().build_model(model)
        check_head_inputs(built)
        return built

    def call_hook(self, fn_name: str, **kwargs: Any) -> None:
        """Calls a moment of all hooks; the first one of a loop opens the terminal.

        Args:
            fn_name (str): The moment.
            **kwargs: Its arguments.
        """
        if fn_name in _BEGINNINGS:
            self._silence.close()
        super().call_hook(fn_name, **kwargs)
