"""One look for every picture: colours with one meaning each, in a light and a dark card.

`use("dark")` switches what is drawn from then on. `figure(...)` starts every picture of the course: fixed
height, a title that says what to see, axes with names and units, and a one-sentence summary computed from
the data, which is the caption, the alternative text and what a plain-text reader gets.
"""

import dataclasses
import functools
import html
import textwrap

import plotly.graph_objects as go
import plotly.io as pio

from lessons.errors import LessonError

SANS = "system-ui, 'DejaVu Sans', sans-serif"
MONO = "'DejaVu Sans Mono', ui-monospace, monospace"
CONFIG = {
    "displayModeBar": False, "showSendToCloud": False, "displaylogo": False, "responsive": True,
    "scrollZoom": False,  # a wheel over a landscape scrolls the page, as it does everywhere else
}  # fmt: skip

# 0 … 1: Cividis. Signed values: RdBu with red for positive and a neutral middle.
UNIT_SCALE = ("#00224e", "#35456c", "#666970", "#948e77", "#c7b466", "#fee838")
SIGNED_SCALE = ("#053061", "#4393c3", "#d1e5f0", "#f7f7f7", "#fddbc7", "#d6604d", "#67001f")


@dataclasses.dataclass(frozen=True)
class Tokens:
    """The colours of one theme. `f i g o` are the gates' colours, `ink` also that of the states."""

    name: str
    ink: str
    soft: str
    rule: str
    edge: str
    card: str
    ground: str
    mark: str
    f: str
    i: str
    g: str
    o: str


LIGHT = Tokens(
    "light", ink="#1b1f24", soft="#5b6470", rule="#e2e4e8", edge="#818a95", card="#ffffff",
    ground="#f6f6f3", mark="#1b1f24", f="#0067a3", i="#c24e00", g="#8a4a79", o="#00795a",
)  # fmt: skip
DARK = Tokens(
    "dark", ink="#e8eaed", soft="#a2abb6", rule="#343a42", edge="#77818d", card="#1a1d21",
    ground="#121417", mark="#ffffff", f="#5bb4ea", i="#ff8a4a", g="#d79ac6", o="#35c79f",
)  # fmt: skip
THEMES = {"light": LIGHT, "dark": DARK}

# What plays the same part has the same colour: z keeps like f, r lets in like i, n proposes like g.
PARTS = {
    "z": "f", "r": "i", "n": "g", "q": "g", "c": "ink", "h": "ink",
    "d": "i", "key": "i", "value": "g", "query": "o", "norm": "ink",
}  # fmt: skip

_chosen = LIGHT


def use(name: str) -> None:
    """Draw in the theme `name` ("light" or "dark") from now on."""
    global _chosen
    if name not in THEMES:
        raise LessonError(f"There is no theme {name!r}; choose one of {', '.join(THEMES)}.")
    _chosen = THEMES[name]


def tokens() -> Tokens:
    """The colours of the theme in use."""
    return _chosen


def colour(name: str) -> str:
    """The colour of a gate or state (`"f"`, `"z"`, `"c"`, …) in the theme in use."""
    return getattr(tokens(), PARTS.get(name, name))


def fade(colour: str, opacity: float) -> str:
    """A hex colour as `rgba(…)` with this opacity (0 … 1)."""
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def scale(colours: tuple[str, ...]) -> list[list]:
    """Evenly spaced colours as a plotly colour scale."""
    return [[k / (len(colours) - 1), colour] for k, colour in enumerate(colours)]


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two hex colours, 1 … 21 (WCAG 2.2, definition of relative luminance)."""
    brighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def glyph(symbol: str) -> str:
    """A character as something to look at: a new line is ⏎, a space ·, a tab ⇥, other controls \\x1b."""
    shown = {"\n": "⏎", " ": "·", "\t": "⇥"}.get(symbol, symbol)
    return "".join(part if part.isprintable() else part.encode("unicode_escape").decode() for part in shown)


def escape(text: str) -> str:
    """Text made safe for plotly's labels, which read some HTML and show `&quot;` as it stands.

    For text between tags, not inside an attribute, where quotation marks would need escaping, too.
    """
    return html.escape(text, quote=False)


def css() -> str:
    """The tokens as CSS variables for elements of class `unrolled light` or `unrolled dark`."""
    rules = []
    for theme in THEMES.values():
        values = {k: v for k, v in dataclasses.asdict(theme).items() if k != "name"}
        body = ";".join(f"--{key}:{value}" for key, value in values.items())
        rules.append(f".unrolled.{theme.name}{{{body};color-scheme:{theme.name}}}")
    return "\n".join(rules)


@functools.cache
def template(theme: Tokens) -> go.layout.Template:
    """The plotly template of a theme: opaque card, quiet grid, direct labels instead of a legend."""
    axis = {
        "automargin": False, "fixedrange": True, "gridcolor": theme.rule, "linecolor": theme.edge,
        "tickcolor": theme.edge, "tickfont": {"color": theme.soft, "size": 12}, "ticks": "outside",
        "ticklen": 4, "zeroline": False, "title": {"font": {"color": theme.soft, "size": 13}, "standoff": 8},
    }  # fmt: skip
    return go.layout.Template(
        layout={
            "paper_bgcolor": theme.card, "plot_bgcolor": theme.card, "showlegend": False, "dragmode": False,
            "font": {"family": SANS, "size": 13, "color": theme.ink},
            "colorway": [theme.f, theme.i, theme.g, theme.o],
            "title": {"x": 0, "xref": "container", "pad": {"l": 20, "t": 18}, "y": 1, "yref": "container",
                      "yanchor": "top", "font": {"size": 19, "color": theme.ink},
                      "subtitle": {"font": {"size": 14, "color": theme.soft}}},
            "margin": {"l": 64, "r": 24, "t": TOP, "b": 56},
            "xaxis": axis, "yaxis": axis,
            "hoverlabel": {"bgcolor": theme.card, "bordercolor": theme.edge,
                           "font": {"family": MONO, "size": 12, "color": theme.ink}, "align": "left"},
        }
    )  # fmt: skip


TOP = 96  # room above a picture for its title and two lines of summary


class Figure(go.Figure):
    """A plotly figure that can say in one sentence what it shows.

    Displayed, it gives plotly's interactive picture, the summary as plain text, and a PNG where the renderer
    in use asks for one (`plotly.io.renderers.default = "plotly_mimetype+png"`, or the environment variable
    PLOTLY_RENDERER): that is what GitHub shows.
    """

    # plotly's own way to display goes past the bundle below, and cannot update what is on the page.
    _ipython_display_ = None

    @property
    def summary(self) -> str:
        """The sentence computed from the data."""
        return (self.layout.meta or {}).get("summary", "")

    def _repr_mimebundle_(self, *args, **kwargs):
        bundle = pio.renderers["plotly_mimetype"].to_mimebundle(self.to_dict())
        bundle["application/vnd.plotly.v1+json"]["config"] = CONFIG | {
            "responsive": False
        }  # keeps its height in a cell
        return {**bundle, **png(self), "text/plain": self.summary or repr(self)}

    def show(self, *args, **kwargs):
        """Display the figure; in a terminal, print its summary."""
        from IPython.display import display

        display(self)


def png(figure: go.Figure) -> dict[str, str]:
    """`{"image/png": …}` if the renderer in use asks for it, else nothing: a picture takes a second."""
    if "png" not in pio.renderers.default.split("+"):
        return {}
    size = {"width": 1000, "height": int(figure.layout.height or 420)}
    renderer = type(pio.renderers["png"])(scale=2, **size)
    return renderer.to_mimebundle(figure.to_dict())


def figure(
    *traces, title: str, summary: str, x: str = "", y: str = "", height: int = 420, **layout
) -> Figure:
    """Start a picture: `traces` on a card of fixed height (pixels) with a title, a computed summary and axes.

    Further keywords are plotly's layout, nested dicts merged into what is here (one construction: updating a
    figure afterwards is ten times slower). Nothing is displayed and nothing global is read but the theme.
    """
    heading = {"text": f"<b>{escape(title)}</b>", "subtitle": {"text": subtitle(summary)}}
    base = {
        "template": template(tokens()), "title": heading, "meta": {"summary": summary, "title": title},
        "height": height, "xaxis": {"title": {"text": x}}, "yaxis": {"title": {"text": y}},
    }  # fmt: skip
    return Figure(list(traces), merge(base, layout))


def merge(first: dict, second: dict) -> dict:
    """Two nested dicts in one; where both say something, the second is right."""
    shared = (key for key in first.keys() & second.keys() if isinstance(first[key], dict))
    return {**first, **second, **{key: merge(first[key], second[key]) for key in shared}}


def subtitle(summary: str) -> str:
    """The summary broken into lines that fit 700 pixels, made safe for plotly."""
    return "<br>".join(escape(line) for line in textwrap.wrap(summary, 92)[:2])
