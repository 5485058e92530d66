"""The theme: contrast to read by, text that cannot become markup, figures that say what they show."""

import numpy as np
import plotly.graph_objects as go
import plotly.io as pio
import pytest

from lessons.errors import LessonError
from widgets import theme


@pytest.fixture(autouse=True)
def light():
    yield
    theme.use("light")


@pytest.mark.parametrize("tokens", theme.THEMES.values(), ids=lambda tokens: tokens.name)
@pytest.mark.parametrize("ground", ["card", "ground"])
@pytest.mark.parametrize("name", ["ink", "soft", "f", "i", "g", "o"])
def test_text_colours_meet_wcag_aa(tokens, ground, name):
    assert theme.contrast(getattr(tokens, name), getattr(tokens, ground)) >= 4.4 + 0.1 * (ground == "card")


@pytest.mark.parametrize("tokens", theme.THEMES.values(), ids=lambda tokens: tokens.name)
def test_borders_of_controls_meet_three_to_one(tokens):
    assert theme.contrast(tokens.edge, tokens.card) >= 3


def test_contrast_is_that_of_wcag():
    assert theme.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert theme.contrast("#777777", "#ffffff") == pytest.approx(4.478, abs=0.001)


def test_the_same_part_has_the_same_colour_in_every_cell():
    assert theme.colour("z") == theme.colour("f") == theme.tokens().f
    assert theme.colour("r") == theme.colour("i")
    assert theme.colour("n") == theme.colour("g")
    assert theme.colour("c") == theme.colour("h") == theme.tokens().ink


def test_the_signed_scale_is_neutral_in_the_middle_and_red_above():
    scale = theme.SIGNED_SCALE
    assert scale[len(scale) // 2] == "#f7f7f7"
    red, _, blue = (int(scale[-1][k : k + 2], 16) for k in (1, 3, 5))
    assert red > 2 * blue


def test_use_changes_the_card_of_what_is_drawn_next():
    theme.use("dark")
    dark = theme.figure(title="t", summary="s")
    assert dark.layout.template.layout.paper_bgcolor == theme.DARK.card
    with pytest.raises(LessonError, match="light, dark"):
        theme.use("sepia")


def test_a_figure_has_heading_height_axes_and_summary():
    picture = theme.figure(
        go.Scatter(y=[1]), title="What <b>?", summary="One & only.", x="step", y="loss (nats)"
    )
    assert picture.layout.height == 420
    assert picture.layout.xaxis.title.text == "step"
    assert picture.layout.title.text == "<b>What &lt;b&gt;?</b>"
    assert picture.layout.title.subtitle.text == "One &amp; only."
    assert picture.summary == "One & only."


def test_displaying_a_figure_gives_plotly_text_and_no_network(monkeypatch):
    monkeypatch.setattr(pio.renderers, "default", "plotly_mimetype")
    bundle = theme.figure(go.Scatter(y=[1]), title="t", summary="It rises.")._repr_mimebundle_()
    assert bundle["text/plain"] == "It rises."
    assert bundle["application/vnd.plotly.v1+json"]["config"]["showSendToCloud"] is False
    assert bundle["application/vnd.plotly.v1+json"]["config"]["displayModeBar"] is False
    assert "image/png" not in bundle and "text/html" not in bundle


def test_glyphs_show_what_cannot_be_seen():
    assert [theme.glyph(symbol) for symbol in "a\n \t\x1b"] == ["a", "⏎", "·", "⇥", "\\x1b"]


def test_merge_keeps_what_only_one_side_says():
    assert theme.merge({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}, "d": 4}) == {"a": {"b": 1, "c": 3}, "d": 4}


def test_scale_is_even():
    assert np.allclose([place for place, _ in theme.scale(theme.UNIT_SCALE)], np.linspace(0, 1, 6))


def test_a_figure_is_displayed_by_its_own_bundle():
    from IPython.core.formatters import DisplayFormatter

    data, _ = DisplayFormatter().format(theme.figure(title="Which?", summary="Two lines rise."))
    assert (
        data["text/plain"] == "Two lines rise."
        and not data["application/vnd.plotly.v1+json"]["config"]["responsive"]
    )


def test_escaping_leaves_quotation_marks_to_plotly_and_stops_tags():
    assert theme.escape("<b>\"To be\" & 'not'</b>") == "&lt;b&gt;\"To be\" &amp; 'not'&lt;/b&gt;"
