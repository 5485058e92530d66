"""The wires of one LSTM cell for a plotly picture: what its wiring lacks is drawn faint and dotted.

Everything lies in the axes x2 and y9, 100 wide and 46 high: the cell state runs along the top, what the gates
read along the bottom.
"""

import plotly.graph_objects as go

from lessons.wiring import Wiring
from widgets import theme

AXES = {"xaxis": "x2", "yaxis": "y9"}
PLACES = {"f": 22, "i": 40, "g": 56, "o": 70}  # where the gates' boxes stand
BOX, LINE = 10, 40  # heights of the boxes' middle and of the cell's line

# The wires of each part; None lifts the pen.
WIRES = {
    "c": ([4, 94], [LINE, LINE]),
    "f": ([22, 22, None, 22, 22], [2, 6, None, 14, 37]),
    "i": ([40, 40, None, 40, 40, 45.5], [2, 6, None, 14, 26, 26]),
    "g": ([56, 56, None, 56, 56, 50.5, None, 48, 48], [2, 6, None, 14, 26, 26, None, 29, 37]),
    "o": ([70, 70, None, 70, 70, 77.5], [2, 6, None, 14, 20, 20]),
    "h": ([80, 80, None, 80, 80, None, 82.5, 94], [40, 33, None, 27, 23, None, 20, 20]),
    "bus": ([4, 70], [2, 2]),
    "coupled": ([36, 26], [BOX, BOX]),
    "peep f": ([10, 10, 18], [LINE, BOX, BOX]),
    "peep i": ([10, 10, 33, 33, 36], [LINE, 18, 18, BOX, BOX]),
    "peep o": ([90, 90, 74], [LINE, BOX, BOX]),
}
NODES = {"f": (22, LINE, "×"), "i": (48, 26, "×"), "c": (48, LINE, "+"), "o": (80, 20, "×")}


def present(parts: Wiring) -> dict[str, bool]:
    """Which parts of the drawing this wiring has."""
    has = {"i": parts.input_gate, "f": parts.forget_gate, "o": parts.output_gate}
    return {
        **dict.fromkeys(("c", "g", "h", "bus"), True), **has, "coupled": parts.coupled,
        **{f"peep {name}": name in parts.peeping for name in "ifo"},
    }  # fmt: skip


def colour(name: str) -> str:
    """A part's colour: a gate's own, the states' ink."""
    return theme.colour(name) if name in "ifgoch" else theme.tokens().edge


def wires(parts: Wiring) -> list[go.Scatter]:
    """One trace a part, the same number for every wiring. Coupled gates have no input to f of their own."""
    has, traces = present(parts), []
    for name, (x, y) in WIRES.items():
        if name == "f" and parts.coupled:
            x, y = [22, 22], [14, 37]
        line = {"color": theme.fade(colour(name), 1.0 if has[name] else 0.28), "width": 2.5}
        line["dash"] = "solid" if has[name] and "peep" not in name else "dot"
        traces.append(go.Scatter(x=x, y=y, mode="lines", line=line, hoverinfo="skip", **AXES))
    return traces


def boxes(parts: Wiring) -> list[dict]:
    """The gates' boxes, the two activations, the circles of × and +."""
    has, tokens = present(parts), theme.tokens()

    def shape(kind: str, x: float, y: float, width: float, height: float, name: str, there: bool) -> dict:
        return {
            "type": kind, "xref": "x2", "yref": "y9", "x0": x - width, "x1": x + width, "y0": y - height,
            "y1": y + height, "fillcolor": tokens.card,
            "line": {"color": theme.fade(colour(name), 1.0 if there else 0.28), "width": 2,
                     "dash": "solid" if there else "dot"},
        }  # fmt: skip

    drawn = [shape("rect", x, BOX, 6 if name == "g" else 4, 4, name, has[name]) for name, x in PLACES.items()]
    drawn.append(shape("rect", 80, 30, 5, 3, "h", parts.output_activation == "tanh"))
    circles = [
        shape("circle", x, y, 2.5, 3, name if name != "c" else "c", has[name])
        for name, (x, y, _) in NODES.items()
    ]
    return [*drawn, *circles]


def labels(parts: Wiring) -> list[dict]:
    """Names in the boxes, signs in the circles, words at the ends of the wires."""
    has, tokens = present(parts), theme.tokens()

    def note(x: float, y: float, text: str, name: str, there: bool = True, size: int = 13) -> dict:
        return {
            "x": x, "y": y, "xref": "x2", "yref": "y9", "text": text, "showarrow": False,
            "font": {"size": size, "color": colour(name) if there else tokens.soft},
        }  # fmt: skip

    inside = {"f": "f σ", "i": "i σ", "o": "o σ", "g": "g tanh" if parts.input_activation == "tanh" else "g"}
    if parts.coupled:
        inside["f"] = "1−i"
    found = [
        note(x, BOX, inside[name] if has[name] else "1", name, has[name], 11) for name, x in PLACES.items()
    ]
    found += [note(x, y, sign, name, has[name]) for name, (x, y, sign) in NODES.items()]
    squash = "tanh" if parts.output_activation == "tanh" else "as it is"
    found.append(note(80, 30, squash, "h", parts.output_activation == "tanh", 11))
    ends = [(3, 45, "c₋₁", "c"), (95, 45, "c", "c"), (95, 24, "h", "h"), (9, -2.5, "x and h₋₁", "h")]
    return found + [note(x, y, text, name) for x, y, text, name in ends]
