"""Names are drawn as they are, or as what stands for a letter that no font has."""

from matplotlib.figure import Figure

from wsss_plugin.visualization.drawn_text import draw_literally, drawable


def test_a_letter_without_a_font_is_escaped(monkeypatch):
    monkeypatch.setattr(
        'wsss_plugin.visualization.drawn_text._characters', lambda: {*map(ord, 'caf')}
    )
    assert drawable('caf\u00e9\u732b') == 'caf\\xe9\\u732b'


def test_a_name_is_no_formula():
    text = Figure().text(0, 0, '')
    draw_literally(text, 'US$$ $_10$\nb', 60)
    assert text.get_text() == 'US$$ $_10$\\nb'
    assert not text.get_parse_math()
