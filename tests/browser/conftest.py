"""A real JupyterLab in a real Chromium, for tests that click and type as a learner does.

The whole tool is one fixture, `lab`:

    def test_slider(lab):
        page = lab.run("from widgets import gates", "gates.explore(…)")  # a scratch notebook, run
        page = lab.open("notebooks/02_char_rnn.ipynb", theme="dark")  # a notebook of the course, a copy
        lab.run_all(page)              # Run All Cells; fails with the text of the first error output
        lab.wait_idle(page)            # kernel idle, no [*] left
        cell = lab.output(page, 1)     # locator of the output area of code cell 1 (counted from 0)
        lab.execute(page, "x = 3")     # append a code cell, run it, return the text it printed
        lab.kernel_says(page, "print(x)", "3")  # the same, again and again until it prints this
        lab.click_plot(plot, {"x": 9, "y": 9}, cell.get_by_text("…"))  # click until that text is there
        lab.theme(page, "dark")        # switch a page that is already open
        lab.screenshot("slider", page) # test-artifacts/<test>-slider.png
        page = lab.html(path)          # a kernel-less page from disk, no server in the way

A page is a playwright `Page`. Notebooks are opened from a throw-away copy, so nothing here can change the
committed ones; kernels run the `ci` preset unless UNROLLED_PRESET says otherwise. When the test ends, every
console error and every request to anywhere but the server fails it, and a failed test leaves a screenshot of
each page it had open. `lab.ignore("text")` names a console message that the test provokes on purpose.

A page answers later than the test asks, on a crowded machine much later. So nothing is asserted at once on
what an action changes; `expect(locator).to_have_text(…)`, `locator.wait_for()` and the like wait.
"""

import os

import pytest

from tools import browser
from tools.lab import Lab, Server, launch


@pytest.fixture(scope="session")
def chromium():
    """The browser, started once. Without one the tests are skipped here and fail in CI."""
    from playwright.sync_api import sync_playwright

    if browser.find() is None:
        stop = pytest.fail if os.environ.get("CI") else pytest.skip
        stop(browser.MISSING)
    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def server(chromium, tmp_path_factory):
    """One JupyterLab for all browser tests."""
    server = Server(tmp_path_factory.mktemp("lab"))
    yield server
    server.close()


@pytest.fixture
def lab(server, chromium, request):
    """See the top of this file."""
    lab = Lab(server, chromium, request.node.name)
    yield lab
    lab.close(failed=getattr(request.node, "call_failed", True))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "call":
        item.call_failed = report.failed
    return report
