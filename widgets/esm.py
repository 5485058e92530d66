"""The ES modules of widgets/js as the one text that a widget or a page carries.

The files import one another so that each can be read and tested alone; at run time there is nothing to import
from. `bundle` lays a module and all that it imports behind one another, with the import lines and the word
`export` taken out. All of them then share one scope, so a name may be defined at top level only once.
"""

import re
from collections import Counter
from functools import cache
from importlib.resources import files

from widgets import theme

IMPORT = re.compile(r'^import \{[^}]*\} from "\./(\w+\.js)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?!default\b)", re.MULTILINE)
DEFAULT = re.compile(r"^export default ", re.MULTILINE)
DEFINED = re.compile(r"^(?:async )?(?:function\*?|const|let|class) (\w+)", re.MULTILINE)


@cache
def bundle(entry: str) -> str:
    """The module `entry` (such as "microscope.js") and everything it imports, as one module's text.

    Only `entry` keeps its `export default`. Raises ValueError if an import or export is left that this does
    not understand, or if two modules define the same name.
    """
    pieces: dict[str, str] = {}
    _collect(entry, pieces, ())
    text = "\n".join(f"// {name}\n{piece}" for name, piece in pieces.items())
    twice = [name for name, count in Counter(DEFINED.findall(text)).items() if count > 1]
    if twice:
        raise ValueError(f"Two modules behind {entry} define {', '.join(twice)}.")
    if re.search(r"^(?:import|export (?!default))", text, re.MULTILINE) or len(DEFAULT.findall(text)) > 1:
        raise ValueError(f"There is an import or export behind {entry} that bundle cannot take out.")
    return text


def _collect(name: str, pieces: dict[str, str], path: tuple[str, ...]) -> None:
    """Depth first, so that a module stands behind everything that it uses."""
    if name in pieces:
        return
    if name in path:
        raise ValueError(f"These modules import one another in a circle: {' -> '.join((*path, name))}.")
    text = read(name)
    for imported in IMPORT.findall(text):
        _collect(imported, pieces, (*path, name))
    pieces[name] = EXPORT.sub("", IMPORT.sub("", text))


def read(name: str) -> str:
    """The text of one file of widgets/js."""
    return files("widgets").joinpath("js", name).read_text(encoding="utf-8")


@cache
def style() -> str:
    """The style of the ES-module widgets: the colours of widgets.theme and the rules of style.css.

    Their root has the class `un`, so that nothing here touches an explorer (`unrolled`) on the same page.
    """
    return f"{theme.css().replace('.unrolled.', '.un.')}\n{read('style.css')}"
