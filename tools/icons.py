"""Draw docs/icons.svg, the README's contact sheet: icons that lesson 13's network wrote, from its study."""

import pathlib
import sys
from xml.etree import ElementTree

from lessons import icons, temperature_study
from widgets import sanitised

PLACE = pathlib.Path(__file__).resolve().parents[1] / "docs" / "icons.svg"
CELL, GAP, COLUMNS = 64, 12, 8  # pixels, pixels, icons in a row


def sheet(drawings: list[str]) -> str:
    """Drawings side by side on white paper as one SVG, each rebuilt from harmless elements."""
    step, rows = CELL + GAP, -(-len(drawings) // COLUMNS)
    size = {"width": str(COLUMNS * step + GAP), "height": str(rows * step + GAP)}
    root = ElementTree.Element("svg", {"xmlns": "http://www.w3.org/2000/svg", **size})
    ElementTree.SubElement(root, "rect", {"width": "100%", "height": "100%", "rx": "8", "fill": "#ffffff"})
    for place, drawing in enumerate(drawings):
        row, column = divmod(place, COLUMNS)
        one = sanitised.parsed(sanitised.rebuilt(icons.whole(drawing)))
        attributes = {"x": str(GAP + column * step), "y": str(GAP + row * step), "viewBox": "0 0 24 24"}
        where = {**attributes, "width": str(CELL), "height": str(CELL), "fill": "none", "stroke": "#1b1f24"}
        cell = ElementTree.SubElement(
            root, "svg", {**where, "stroke-width": "1.6", "stroke-linecap": "round"}
        )
        for shape in one:
            name = str(shape.tag).rpartition("}")[2]
            ElementTree.SubElement(cell, name, dict(shape.attrib))
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def main() -> int:
    """Write the picture."""
    kept = temperature_study.load()["media"]["figure"]["samples"]["well formed"]
    PLACE.write_text(sheet(kept), encoding="utf-8")
    print(f"{len(kept)} icons in docs/{PLACE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
