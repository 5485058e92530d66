"""The switchboard in a real JupyterLab: parts ticked off by mouse and key, and what cannot be, said."""


def test_parts_are_ticked_off_by_mouse_and_key(lab):
    page = lab.run("from widgets import lstm_variants", "x = lstm_variants.switchboard()\nx", theme="dark")
    page.locator(".js-plotly-plot .barlayer .point").first.wait_for()
    page.get_by_text("It learns 4 blocks of weights.").wait_for()
    page.get_by_role("checkbox", name="output gate").uncheck()
    page.get_by_text("It learns 3 blocks of weights.").wait_for()
    peepholes = page.get_by_role("checkbox", name="peepholes")
    peepholes.focus()
    page.keyboard.press(" ")
    page.get_by_text("3 blocks of weights and peepholes.").wait_for()
    lab.screenshot("switchboard", page)
    page.get_by_role("checkbox", name="coupled: f = 1 − i").check()
    page.get_by_text("It learns 2 blocks of weights and peepholes.").wait_for()
    page.get_by_role("checkbox", name="input gate").uncheck()
    page.get_by_role("alert").get_by_text("needs both gates").wait_for()
    lab.kernel_says(page, "print(x.value())", "'input_gate': True, 'forget_gate': True, 'output_gate': False")
