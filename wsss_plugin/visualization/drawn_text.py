"""Names as they can be drawn: no formula, and no box in place of a letter."""

from __future__ import annotations

import functools

from matplotlib import font_manager
from matplotlib.text import Text

from wsss_plugin.errors import cut

# Fonts with letters that matplotlib's own has not; those that are installed are used.
_OTHERS = (
    'Noto Sans CJK SC',
    'Noto Sans CJK JP',
    'Noto Sans CJK KR',
    'WenQuanYi Zen Hei',
    'Microsoft YaHei',
    'Arial Unicode MS',
    'Noto Sans',
)
_OWN = 'DejaVu Sans'


def draw_literally(text: Text, name: str, limit: int) -> None:
    """Sets a text to a name, whatever signs it has.

    '$' begins no formula. A letter that no font has is written as its escape.

    Args:
        text: The text of a figure.
        name: The name.
        limit: Number of characters that are kept.
    """
    text.set_parse_math(False)
    text.set_fontfamily(list(_fonts()))
    text.set_text(drawable(cut(name, limit)))


def drawable(name: str) -> str:
    r"""A name with escapes for letters that no installed font has.

    Args:
        name: The name.

    Returns:
        The name as it can be drawn.

    >>> drawable('café $5'), drawable('\U0010fffd')
    ('café $5', '\\U0010fffd')
    """
    known = _characters()
    return ''.join(
        sign if ord(sign) in known else sign.encode('unicode_escape').decode() for sign in name
    )


@functools.cache
def _fonts() -> tuple[str, ...]:
    installed = {font.name for font in font_manager.fontManager.ttflist}
    return (_OWN, *(name for name in _OTHERS if name in installed))


@functools.cache
def _characters() -> frozenset[int]:
    files = [font_manager.findfont(name) for name in _fonts()]
    return frozenset(code for file in files for code in font_manager.get_font(file).get_charmap())
