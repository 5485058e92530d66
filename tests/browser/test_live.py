"""A training watched in JupyterLab: it draws while the kernel works, stops, and leaves a picture."""

import re

from playwright.sync_api import expect

SETUP = """
from lessons import char_rnn, corpora, fit
from widgets import training
text = corpora.load("shakespeare")
preset = char_rnn.preset("ci").but(steps=20_000, evaluate_every=200)
model = char_rnn.build(text.vocabulary, preset)
"""
TRAIN = "run = fit(model, text, preset, watch=training.live('To be'), progress=False)"


def test_it_draws_stops_and_leaves_a_picture(lab):
    page = lab.run(SETUP)
    page.locator(".jp-Notebook .jp-Cell").last.click(position={"x": 2, "y": 2})
    lab.command(page, "notebook:insert-cell-below", 5)
    page.evaluate(
        "code => window.jupyterapp.shell.currentWidget.content.activeCell.model.sharedModel.setSource(code)",
        TRAIN,
    )
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-cell'); }")
    page.get_by_role("heading", name="Does the loss fall below “uniform guess”?").wait_for(timeout=90_000)
    page.wait_for_function("() => document.querySelectorAll('.un-live circle').length >= 2", timeout=90_000)
    expect(page.locator(".un-live .un-strong")).to_have_attribute("d", re.compile("(L.*){4}"))
    expect(page.locator(".un-live pre")).to_have_count(2)
    page.locator(".un-live canvas").wait_for()
    lab.screenshot("live", page)
    page.get_by_role("button", name="stop the training and keep what it has learnt").click()
    lab.wait_idle(page, 120)
    page.locator(".jp-OutputArea .js-plotly-plot .main-svg").first.wait_for()
    expect(page.locator(".un-live")).to_have_count(0)
    page.get_by_text("at the start").wait_for()
    assert (
        lab.execute(page, "print(run.reason in ('stopped', 'interrupted'), 0 < run.step < 20_000)")
        == "True True"
    )
    lab.screenshot("after", page)
