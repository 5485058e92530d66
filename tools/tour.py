"""The moving picture at the top of the README: `make tour`.

The gate microscope over the shipped model, in its kernel-less page: it reads a line, a forget gate is held
shut, and the prediction changes.
"""

import io
import pathlib
import tempfile

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from lessons import char_rnn, corpora, trace, units
from tools.lab import ROOT, launch
from widgets import export, gates

SCRIPT = (
    "**JAQUES**\nSing it: 'tis no matter how it be in tune.\n\n_Exeunt_\n\n**ROSALIND**\nHow say you now?"
)
SIZE = {"width": 1080, "height": 900}
WIDE = 860  # pixels of the picture
COLOURS = 192
STEP, PAUSE = 180, 1400  # milliseconds


def page(folder: pathlib.Path) -> pathlib.Path:
    """The microscope as a page, its units sorted by what they follow in held-out plays."""
    reader = char_rnn.pretrained()
    passage = corpora.load("shakespeare-markdown", quiet=True).valid[:6000]
    found = units.scores(trace(reader, passage))
    return export.page(gates.microscope(reader, SCRIPT, scores=found), folder / "tour.html")


def shots(view: Page) -> list[tuple[Image.Image, int]]:
    """Frames and how long each stays, in milliseconds."""
    card = view.locator(".un").first

    def shot() -> Image.Image:
        picture = Image.open(io.BytesIO(card.screenshot()))
        return picture.convert("RGB").resize((WIDE, round(picture.height * WIDE / picture.width)))

    now = card.locator('.un-strip [tabindex="0"]').first
    now.focus()
    frames = [(shot(), PAUSE)]
    for _ in range(13):
        view.keyboard.press("ArrowRight")
        frames.append((shot(), STEP))
    frames.append((shot(), PAUSE))
    view.get_by_role("button", name="shut 0").click()
    frames.append((shot(), 2 * PAUSE))
    now.focus()
    for _ in range(8):
        view.keyboard.press("ArrowRight")
        frames.append((shot(), STEP))
    return [*frames, (shot(), 2 * PAUSE)]


def montage(pictures: list[Image.Image]) -> Image.Image:
    """Pictures side by side, so that one palette serves them all."""
    sheet = Image.new("RGB", (WIDE * len(pictures), max(picture.height for picture in pictures)))
    for place, picture in enumerate(pictures):
        sheet.paste(picture, (place * WIDE, 0))
    return sheet


def main() -> None:
    """Write docs/tour.gif."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = launch(playwright)
        view = browser.new_page(viewport=SIZE)
        view.goto(page(pathlib.Path(folder)).as_uri())
        view.get_by_role("listbox").first.wait_for()
        frames = shots(view)
        browser.close()
    sheet = montage([frame for frame, _ in frames[:: len(frames) // 4]])
    palette = sheet.quantize(COLOURS, Image.Quantize.MAXCOVERAGE)
    first, *others = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame, _ in frames]
    path = ROOT / "docs" / "tour.gif"
    path.parent.mkdir(exist_ok=True)
    first.save(
        path,
        save_all=True,
        append_images=others,
        duration=[stay for _, stay in frames],
        loop=0,
        optimize=True,
    )
    print(f"{path.relative_to(ROOT)}: {len(frames)} frames, {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
