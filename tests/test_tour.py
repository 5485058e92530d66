"""The README's moving picture."""

import pathlib

from PIL import Image

from tools import tour

DOCS = pathlib.Path(__file__).resolve().parents[1] / "docs"


def test_a_montage_holds_every_picture():
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    sheet = tour.montage([Image.new("RGB", (tour.WIDE, 20 + k), colour) for k, colour in enumerate(colours)])
    assert sheet.size == (3 * tour.WIDE, 22)
    assert [sheet.getpixel((k * tour.WIDE + 5, 10)) for k in range(3)] == colours


def test_the_picture_moves_and_is_small_enough_for_a_readme():
    path = DOCS / "tour.gif"
    assert path.stat().st_size < 1_500_000
    with Image.open(path) as picture:
        assert picture.n_frames > 10 and picture.width == tour.WIDE
