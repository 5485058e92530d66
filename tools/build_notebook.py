"""Build a notebook from its text: `make notebook NAME=02_char_rnn`.

The cells come from notebooks/text/NAME.py and run from top to bottom in a real JupyterLab in Chromium. What
a Plotly figure or a widget looks like there is kept as a PNG beside the output, so that it shows where there
is no kernel. What only the running page could use goes: widget views and their state, timings, paths of this
machine.
"""

import argparse
import base64
import hashlib
import pathlib
import re
import subprocess
import sys
import tempfile

import jupytext
import nbformat

from tools.lab import ROOT, Lab, Server, launch

VIEW = "application/vnd.jupyter.widget-view+json"
PLOTLY = "application/vnd.plotly.v1+json"
METADATA = {
    "kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"},
    "language_info": {"name": "python"},
}
WIDTH = 1120  # of the page, in pixels: outputs get about 940
BAR = re.compile(r"\d+%\|.*step/s")
Pictures = dict[tuple[int, int], bytes]  # (code cell, output) -> PNG


def text(name: str) -> pathlib.Path:
    """Where the text of a notebook lies."""
    return ROOT / "notebooks" / "text" / f"{name}.py"


def source(name: str) -> nbformat.NotebookNode:
    """The notebook of a text pair: no outputs, and cell ids made from the cells' text."""
    book = jupytext.read(text(name), fmt="py:percent")
    seen: set[str] = set()
    for cell in book.cells:
        cell.id = cell_id(cell.source, seen)
    book.metadata = nbformat.from_dict(METADATA)
    book.nbformat, book.nbformat_minor = 4, 5
    return book


def cell_id(words: str, seen: set[str]) -> str:
    """A short id that stays as long as the cell's text does; the second of two equal cells gets another."""
    digest = hashlib.sha1(words.encode()).hexdigest()[:8]
    while digest in seen:
        digest = hashlib.sha1(digest.encode()).hexdigest()[:8]
    seen.add(digest)
    return digest


def execute(book: nbformat.NotebookNode, name: str, preset: str) -> tuple[nbformat.NotebookNode, Pictures]:
    """Run a notebook in the browser; the notebook as JupyterLab saved it, and what its outputs look like."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(pathlib.Path(folder), preset)
        chromium = launch(playwright)
        try:
            path = server.root / "notebooks" / f"{name}.ipynb"
            nbformat.write(book, path)
            lab = Lab(server, chromium, f"build-{name}")
            page = lab.open(f"notebooks/{name}.ipynb")
            page.set_viewport_size({"width": WIDTH, "height": 1000})
            lab.command(page, "application:toggle-left-area")
            lab.run_all(page, seconds=1800)
            page.wait_for_timeout(1000)
            lab.command(page, "docmanager:save")
            done = nbformat.read(path, as_version=4)
            pictures = photograph(page, done)
            lab.close(failed=False)
        finally:
            chromium.close()
            server.close()
    return without_paths(done, server.root), pictures


def photograph(page, book: nbformat.NotebookNode) -> Pictures:
    """A PNG of every output that GitHub or a page without a kernel could not draw."""
    pictures = {}
    heights = page.locator(".jp-OutputArea-output").evaluate_all("all => all.map(one => one.offsetHeight)")
    # What is taller than the window would be cut off, with JupyterLab's own bars in the picture.
    page.set_viewport_size({"width": WIDTH, "height": max([*heights, 700]) + 300})
    page.wait_for_timeout(1000)
    for number, cell in enumerate(code_cells(book)):
        # Not .jp-OutputArea-child: what has nothing to show stands there as a bare element, and counts.
        area = page.locator(".jp-Notebook .jp-CodeCell").nth(number).locator(".jp-OutputArea").first
        shown = area.locator(":scope > .lm-Widget")
        for place, output in enumerate(cell.outputs):
            if not {VIEW, PLOTLY} & set(output.get("data", {})):
                continue
            picture = shown.nth(place).locator(".jp-OutputArea-output").first
            if not picture.is_visible():  # closed by the code that showed it, such as a progress bar
                continue
            picture.scroll_into_view_if_needed()
            page.wait_for_timeout(300)
            pictures[number, place] = picture.screenshot()
    return pictures


def code_cells(book: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in book.cells if cell.cell_type == "code"]


def without_paths(book: nbformat.NotebookNode, root: pathlib.Path) -> nbformat.NotebookNode:
    """Make paths relative: to the repository, its throw-away copy, the kernel's cell files."""
    written = nbformat.writes(book).replace(f"{root}/", "").replace(f"{ROOT}/", "")
    return nbformat.reads(re.sub(r"/[\w/.-]*/ipykernel_\d+/\d+\.py", "cell", written), as_version=4)


def tidy(book: nbformat.NotebookNode, pictures: Pictures) -> nbformat.NotebookNode:
    """Put the pictures in, and take out what is different on every run or useless without the kernel."""
    book.metadata = nbformat.from_dict(METADATA)
    for cell in book.cells:
        cell.metadata = {key: value for key, value in cell.metadata.items() if key == "tags"}
    for number, cell in enumerate(code_cells(book)):
        for place, output in enumerate(cell.outputs):
            if "data" in output:
                output.metadata = {}
                tidy_data(output.data, pictures.get((number, place)))
        cell.outputs = [output for output in map(without_bar, cell.outputs) if output]
    return book


def without_bar(output: nbformat.NotebookNode) -> nbformat.NotebookNode | None:
    """An output without what is left of a progress bar; None if it was nothing else."""
    if output.output_type != "stream":
        return output
    lines = [line for line in re.split("[\r\n]", output.text) if not BAR.search(line)]
    output.text = "\n".join(lines) if BAR.search(output.text) else output.text
    return output if output.text.strip() else None


def tidy_data(data: dict, picture: bytes | None) -> None:
    """One output: no view of a widget that is gone, no copy of plotly.js, a PNG where there is one."""
    if VIEW in data or PLOTLY in data:
        data.pop(VIEW, None)
        data.pop("text/html", None)
    if picture:
        data["image/png"] = base64.b64encode(picture).decode()


def build(name: str, preset: str) -> pathlib.Path:
    """Format and execute the text NAME, and write notebooks/NAME.ipynb."""
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", text(name)], check=True)
    executed, pictures = execute(source(name), name, preset)
    path = ROOT / "notebooks" / f"{name}.ipynb"
    nbformat.write(tidy(executed, pictures), path)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1e6:.2f} MB, {len(pictures)} pictures, {preset}")
    return path


def main(argv: list[str] | None = None) -> int:
    """Command line: names of notebooks without folder or ending."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", metavar="NAME", help="such as 02_char_rnn")
    parser.add_argument("--preset", default="cpu", help="size of the training: ci, cpu (the default) or gpu")
    asked = parser.parse_args(argv)
    for name in asked.names:
        build(pathlib.Path(name).stem, asked.preset)
    return 0


if __name__ == "__main__":
    sys.exit(main())
