"""Shows the examples of docstrings as code in the reference."""

from __future__ import annotations

import re

from griffe import Extension, Object

_EXAMPLE = re.compile(r'^>>> (?:.+\n?)+', flags=re.MULTILINE)


class Doctests(Extension):
    """Puts examples that stand outside a section into a block of code."""

    def on_object(self, *, obj: Object, **_: object) -> None:
        """Changes the docstring of an object that was read."""
        if obj.docstring:
            # The plural is what the reader of docstrings knows.
            text = re.sub('^Example:$', 'Examples:', obj.docstring.value, flags=re.MULTILINE)
            obj.docstring.value = _EXAMPLE.sub(lambda m: f'```pycon\n{m[0].rstrip()}\n```\n', text)
