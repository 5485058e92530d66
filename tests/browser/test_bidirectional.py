"""Lesson 09's pictures in a real JupyterLab: step, choose, type, cover and cut, by mouse and keyboard."""

CELL = """
import itertools
from lessons import bidirectional as lesson, labelled
from widgets import bidirectional as pictures
class From:
    def as_dict(self):
        return {}
words = ["".join(word) for word in itertools.product("abcd", repeat=4)]
pairs = [(word, tuple(word), (*word[1:], "-")) for word in words]
data = labelled.build("toy", "letter", "word", pairs, From())
tasks = lesson.networks(data, lesson.PRESETS["ci"])
x = pictures.influences(tasks["both"], "abca")
x
"""


def test_type_cover_cut_and_step(lab):
    page = lab.run(CELL, "y = pictures.wired('knight')\ny", "z = pictures.growing(tasks, 'abca')\nz")
    first, second, third = (lab.output(page, k) for k in range(3))
    first.locator(".js-plotly-plot .heatmaplayer image").first.wait_for()
    word = first.get_by_label("word")
    word.fill("ab!a")
    word.press("Enter")
    first.get_by_text("'!', letter 3").wait_for()
    word.fill("<b>")
    word.press("Enter")
    first.get_by_text("'<', letter 1").wait_for()
    word.fill("dcba")
    word.press("Enter")
    first.get_by_text("“d” is labelled").wait_for()
    slider = first.get_by_role("slider", name="label of letter")
    slider.focus()
    page.keyboard.press("ArrowRight")
    first.get_by_text("“c” is labelled").wait_for()
    first.get_by_label("cut").select_option("the backward direction")
    first.get_by_text("With the backward direction cut").wait_for()
    covered = first.get_by_role("spinbutton", name="cover letter")
    covered.fill("2")
    covered.press("Tab")
    first.get_by_text("“b” covered and the backward direction cut").wait_for()
    first.get_by_label("influence by").select_option("slopes")
    second.get_by_role("slider", name="step").focus()
    page.keyboard.press("ArrowRight")
    second.get_by_text("at step 3 the output knows “knight”").wait_for()
    second.get_by_label("reads").select_option("forward only")
    second.get_by_text("knows “knig”, 4 of 6 letters").wait_for()
    third.get_by_label("reads").select_option("forward only")
    third.get_by_text("0 of 4 labels are taken back").wait_for()
    for shade in ("light", "dark"):
        lab.theme(page, shade)
        lab.screenshot(shade, page)
    lab.kernel_says(page, "print(x.value())", "'method': 'gradient'")
