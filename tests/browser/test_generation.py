"""Lesson 13's studio in a real JupyterLab, by keyboard and mouse; a hostile text can do nothing there."""

from playwright.sync_api import expect

STUDIO = """
from widgets import studio
x = studio.explore("html", temperature=0.5)
x
"""
HOSTILE = r"""
import ipywidgets as ipw
from IPython.display import HTML, display
from widgets import contact_sheet, renderings, sanitised
attack = (
    "<script>window.broken=1</script><img src=x onerror='window.broken=1'><svg onload='window.broken=1'>"
    "<p>$\\href{javascript:window.broken=1}{press}$ \\(x\\)</p><a href='javascript:window.broken=1'>press</a>"
    "<iframe srcdoc='<script>parent.broken=1</script>'></iframe>"
)
shown = [renderings.render(name, attack) for name in (*renderings.RENDERINGS, "own")]
head = "<svg xmlns='http://www.w3.org/2000/svg' onload='parent.broken=1'>"
shown += [sanitised.svg(f"{head}<foreignObject>{attack}</foreignObject></svg>")]
shown += [sanitised.svg(f"{head}<script>parent.broken=1</script><path d='m2 2 9 9'/></svg>", label="kept")]
for one in shown:
    display(HTML(one))
display(ipw.HTMLMath("".join(shown)), ipw.HTMLMath(sanitised.latex("\\section{On $x^{2}$}\nSee $y_{1}$.\n")))
"""


def test_write_in_the_studio_by_keyboard(lab):
    page = lab.run(STUDIO)
    output = lab.output(page, 0)
    output.get_by_text("Its spans", exact=False).first.or_(
        output.get_by_text("of its spans").first
    ).wait_for()
    roll = output.get_by_role("slider", name="roll of the dice")
    before = output.get_by_role("region", name="source").inner_text()  # there since the wait above
    roll.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("text => !document.body.innerText.includes(text)", arg=before[:120])
    begin = output.get_by_label("begins with")
    begin.fill("<article>⏎<h2>ACT")
    output.get_by_role("region", name="rendered").get_by_role("heading", name="ACT").wait_for()
    begin.fill("é")
    output.get_by_text("not in the model's vocabulary").wait_for()
    output.get_by_label("medium").select_option("journals (LaTeX)")
    output.locator("mjx-container").first.wait_for()
    output.get_by_label("medium").select_option("figures (SVG)")
    output.get_by_role("region", name="rendered").get_by_role("img").wait_for()
    for shade in ("light", "dark"):
        lab.theme(page, shade)
        lab.screenshot(shade, page)
    lab.kernel_says(page, "print(x.value())", "figure")


def test_a_hostile_text_does_nothing(lab):
    page = lab.run(HOSTILE)
    output = lab.output(page, 0)
    output.locator("mjx-container").nth(1).wait_for()  # those of the honest article
    expect(output.get_by_role("img", name="kept")).to_have_count(2)
    page.wait_for_timeout(1000)  # in which what was not made safe would have run
    expect(output.locator("mjx-container")).to_have_count(2)
    assert page.evaluate("window.broken") is None
    active = "script, iframe, a, form, object, foreignObject, [onload], [onerror]"
    expect(output.locator(active)).to_have_count(0)
