"""The one place where what a network wrote is made safe to show.

A network trained on markup writes markup, and anything that markup can hold: scripts, handlers, links,
pictures that call home. Whatever of it is to be seen goes through one of these functions, each of which gives
HTML that can do nothing but be looked at. They never raise; what cannot be shown is shown as its source.

    html(text)      a fragment of HTML, cut down to a list of harmless elements without attributes
    markdown(text)  Markdown rendered, any HTML in it shown as text
    latex(text)     text with formulas for MathJax, all commands from a list, no macros, links or styles
    svg(text)       one drawing inside an <img>, where a browser runs and loads nothing, rebuilt from a list
    source(text)    the characters themselves
"""

import base64
import html as escaping
import re
from functools import cache
from xml.etree import ElementTree
from xml.parsers import expat

import nh3
from markdown_it import MarkdownIt

from lessons.latex import COMMANDS, ENVIRONMENTS, Piece, pieces

LONGEST = 20_000  # characters of any text that is shown
LONGEST_SVG = 400_000  # of a drawing: an engraved score has some hundred thousand
PIECES = 20_000  # elements of a drawing
BARE: dict[str, set[str]] = {"*": set()}  # without it lang and title stay on every element
CUT = " … (cut)"
UNTYPESET = "mathjax_ignore"  # the class of what JupyterLab's MathJax leaves alone

TAGS = {
    "article", "section", "header", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "strong",
    "em", "b", "i", "u", "s", "sub", "sup", "small", "blockquote", "ul", "ol", "li", "dl", "dt", "dd", "pre",
    "code", "table", "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "div", "span",
}  # fmt: skip

_SVG = "{http://www.w3.org/2000/svg}"
SHAPES = {
    "svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "defs", "symbol", "use",
    "text", "tspan", "title", "desc", "style",
}  # fmt: skip
ATTRIBUTES = {
    "id", "class", "d", "x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "r", "rx", "ry", "dx", "dy", "points",
    "width", "height", "viewBox", "preserveAspectRatio", "transform", "fill", "fill-opacity", "fill-rule",
    "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin", "stroke-opacity", "stroke-dasharray",
    "stroke-miterlimit", "opacity", "color", "overflow", "font-family", "font-size", "font-style",
    "font-weight", "text-anchor", "letter-spacing",
}  # fmt: skip
VALUE = re.compile(r"[\w\s.,;:%#()+'/-]*\Z")  # no brackets of tags, no quotation marks, no backslash
REACHING = re.compile(r"url|@|\\|expression|javascript|data:|[<>]", re.IGNORECASE)


def html(text: str) -> str:
    """A fragment of HTML with nothing left but the elements of TAGS, without any attribute.

    Unclosed elements are closed; scripts, styles and comments go with what they hold (by nh3: Ammonia).
    Dollars and backslashes stay signs: JupyterLab would typeset what stands between them.
    """
    return _inert(nh3.clean(shortened(text), tags=TAGS, attributes=BARE, link_rel=None))


def markdown(text: str) -> str:
    """CommonMark as HTML, by markdown-it-py; HTML inside it is escaped, links and pictures are dropped."""
    return html(_reader().render(shortened(text)))


def latex(text: str) -> str:
    """A small article as HTML in which `$…$` and `$$…$$` are left for MathJax, if it can do no harm.

    A formula may use the commands and environments of lessons.latex and no others, so no macro can be
    defined, nothing linked, styled or loaded; one that does not keep to them is shown as its source.
    """
    shown = "".join(map(_piece, pieces(shortened(text))))
    return nh3.clean(shown, tags=TAGS, attributes=BARE, link_rel=None)


def _piece(piece: Piece) -> str:
    """A part of an article as HTML, not yet balanced."""
    if piece.kind in ("inline", "equation"):
        return formula(piece.text, display=piece.kind == "equation")
    if piece.kind == "begin":
        return f"<blockquote><strong>{plain(piece.text.capitalize())}.</strong> "
    if piece.kind == "end":
        return "</blockquote>"
    if piece.kind == "section":
        inside = (_piece(one) if one.kind != "section" else plain(one.text) for one in pieces(piece.text))
        return f"<h4>{''.join(inside)}</h4>"
    return f"<em>{plain(piece.text)}</em>" if piece.kind == "emph" else plain(piece.text)


def formula(text: str, display: bool = False) -> str:
    """One formula without its dollars: for MathJax if all its commands are known, else its source."""
    shown = shortened(text)
    commands = re.findall(r"\\([A-Za-z]+|.|\Z)", shown, re.DOTALL)  # a last \ would take the dollar
    used = re.findall(r"\\(?:begin|end)\s*\{([^}]*)\}", shown)
    known = all(name in COMMANDS or name in ("begin", "end") for name in commands)
    if not known or not all(name in ENVIRONMENTS for name in used) or "$" in shown or "%" in shown:
        return f"<code>{plain(shown)}</code>"
    mark = "$$" if display else "$"
    return f"{mark}{escaping.escape(shown, quote=False)}{mark}"


def svg(text: str, size: int = 96, label: str = "", colour: str = "#1b1f24") -> str:
    """An <img> of a drawing, `size` pixels wide, on white; an empty frame if it is no drawing.

    The drawing is rebuilt from the elements and attributes that are known to be harmless, and what would
    reach outside itself is left out: scripts, handlers, foreignObject, links, pictures, url(…), entities.
    `colour` is what `currentColor` means in it.
    """
    words = escaping.escape(label or "a drawing")
    style = f"width:{int(size)}px;background:#fff;border-radius:4px"
    try:
        data = picture(text, colour)
    except ValueError as problem:
        empty = f"{style};height:{int(size)}px;display:inline-block;border:1px dashed #818a95"
        reason = escaping.escape(str(problem))
        return f'<span role="img" aria-label="{words}: {reason}" title="{reason}" style="{empty}"></span>'
    return f'<img alt="{words}" src="{data}" style="{style}">'


def picture(text: str, colour: str = "#1b1f24") -> str:
    """The same drawing as a data: address for an <img> or a plotly image; ValueError for no drawing."""
    return f"data:image/svg+xml;base64,{base64.b64encode(rebuilt(text, colour).encode()).decode()}"


def source(text: str, marked: tuple[int, int] = (0, 0)) -> str:
    """The characters of a text, to be read and never to be acted on; those from `marked` are underlined."""
    shown, (start, end) = shortened(text), marked
    before, inside, after = plain(shown[:start]), plain(shown[start:end]), plain(shown[end:])
    mark = f"<mark>{inside}</mark>" if inside else ""
    rules = "white-space:pre-wrap;overflow-wrap:anywhere;margin:0"
    return f'<pre class="{UNTYPESET}" style="{rules}">{before}{mark}{after}</pre>'


def plain(text: str) -> str:
    """Characters as they are, for a place between tags: neither HTML nor, to MathJax, a formula."""
    return _inert(escaping.escape(text))


def _inert(safe: str) -> str:
    """Safe HTML without attributes whose dollars and backslashes MathJax cannot put together."""
    return re.sub(r"[$\\]", lambda found: f"<span>{found[0]}</span>", safe)


def rebuilt(text: str, colour: str = "#1b1f24") -> str:
    """A drawing as SVG with harmless elements and attributes only; ValueError says what is wrong."""
    if len(text) > LONGEST_SVG:
        raise ValueError(f"it is longer than {LONGEST_SVG:,} characters")
    root = parsed(text)
    if root.tag not in (f"{_SVG}svg", "svg"):
        raise ValueError("it is no drawing: its first element is not svg")
    kept = _kept(root, "", _drawn_elsewhere(root))
    if kept is None or sum(1 for _ in kept.iter()) > PIECES:
        raise ValueError(f"it has more than {PIECES:,} elements")
    kept.set("xmlns", "http://www.w3.org/2000/svg")
    kept.set("color", colour if VALUE.match(colour) and not REACHING.search(colour) else "#1b1f24")
    return ElementTree.tostring(kept, encoding="unicode")


def parsed(text: str) -> ElementTree.Element:
    """An XML text as a tree, without any document type, so without entities. Raises ValueError."""
    parser = expat.ParserCreate("utf-8", namespace_separator="}")  # whatever the text declares
    builder, depth = ElementTree.TreeBuilder(), 0

    def qualified(name: str) -> str:
        return "{" + name if "}" in name else name

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > 100:
            raise ValueError("its elements are nested more than a hundred deep")
        builder.start(qualified(name), {qualified(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(qualified(name))

    def refuse(*_: object) -> None:
        raise ValueError("it declares a document type, which could hold entities")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(text.encode("utf-8", "replace"), True)
    except expat.ExpatError as problem:
        raise ValueError(f"it is no well-formed XML: {problem}") from problem
    return builder.close()


def shortened(text: str) -> str:
    """A text, cut where it is longer than anybody would read; half a character becomes a question mark."""
    whole = text[:LONGEST].encode("utf-8", "replace").decode()
    return whole if len(text) <= LONGEST else whole + CUT


@cache
def _reader() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).disable(["link", "image", "autolink", "reference"])


def _drawn_elsewhere(root: ElementTree.Element) -> set[str]:
    """Ids found only in symbols and defs, where no `use` is kept: uses of uses grow without end."""
    shelves = [one for one in root.iter() if str(one.tag).removeprefix(_SVG) in ("symbol", "defs")]
    shelved = {one for shelf in shelves for one in shelf.iter()}
    elsewhere = {one.get("id") for one in root.iter() if one not in shelved}
    return {one.get("id", "") for one in shelved} - elsewhere - {""}


def _kept(element: ElementTree.Element, inside: str, shelved: set[str]) -> ElementTree.Element | None:
    """An element without what could reach outside, or None if it is not one of SHAPES."""
    name = str(element.tag).removeprefix(_SVG)
    if name not in SHAPES or (name == "use" and inside in ("symbol", "defs")):
        return None
    if name == "style" and REACHING.search(element.text or ""):
        return None
    kept = ElementTree.Element(name)
    for key, value in element.attrib.items():
        plain = key.rpartition("}")[2]
        if name == "use" and plain == "href" and value[:1] == "#" and value[1:] in shelved:
            kept.set("href", value)
        elif key in ATTRIBUTES and VALUE.match(value) and not REACHING.search(value):
            kept.set(key, value)
    kept.text = element.text if name in ("text", "tspan", "title", "desc", "style") else None
    within = name if name in ("symbol", "defs") else inside
    for child in element:
        if (one := _kept(child, within, shelved)) is not None:
            one.tail = child.tail if name in ("text", "tspan") else None
            kept.append(one)
    return kept
