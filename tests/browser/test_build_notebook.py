"""What a notebook's outputs look like is put beside the right ones."""

import io

import nbformat
from PIL import Image

from tools import build_notebook

CELL = """
from IPython.display import display
import plotly.graph_objects as go
display(display_id=True)
display({}, raw=True)
print("a line")
display(go.Figure(go.Bar(y=[1, 2]), {"height": 260, "plot_bgcolor": "#ff0000"}))
"""


def test_outputs_that_show_nothing_do_not_shift_the_pictures(lab):
    page = lab.run(CELL, "import ipywidgets as ipw\nipw.IntSlider()")
    lab.output(page, 0).locator(".js-plotly-plot .main-svg").first.wait_for()
    lab.command(page, "docmanager:save")
    book = nbformat.read(lab.root / "scratch" / f"{lab.name}.ipynb", 4)
    kinds = [sorted(output.get("data", {})) for output in build_notebook.code_cells(book)[0].outputs]
    plots = [place for place, kind in enumerate(kinds) if build_notebook.PLOTLY in kind]
    assert plots == [len(kinds) - 1] and [] in kinds, kinds
    pictures = build_notebook.photograph(page, book)
    assert sorted(pictures) == [(0, plots[0]), (1, 0)]
    image = Image.open(io.BytesIO(pictures[0, plots[0]])).convert("RGB")
    red = sum(count for count, colour in image.getcolors(1 << 24) if colour == (255, 0, 0))
    assert red > 10_000, "the picture is that of the plot"
