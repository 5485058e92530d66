"""A real JupyterLab and a page in a real Chromium: what browser tests and notebook builds work with.

`Server` starts JupyterLab on a throw-away copy of notebooks/, `Lab` opens, runs and looks at notebooks in it.
How tests use them is told at the top of tests/browser/conftest.py.
"""

import contextlib
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import nbformat

from tools import browser

ROOT = pathlib.Path(__file__).resolve().parents[1]
ARTEFACTS = ROOT / "test-artifacts"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
SECONDS = 1000
# What a page does in a moment takes a crowded machine long; a test that passes never waits it out.
PATIENCE = 45 * SECONDS
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",  # Chromium refuses to start as root with it
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
# Settings a test wants from JupyterLab: no questions, and every cell in the DOM even when off the screen.
SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
    "docmanager-extension/plugin": {"autosave": False},
}


class Server:
    """`jupyter lab` on 127.0.0.1 with a token of its own, throw-away settings and a copy of the notebooks."""

    def __init__(self, folder: pathlib.Path, preset: str = "ci"):
        ARTEFACTS.mkdir(exist_ok=True)
        self.preset = preset
        self.root, self.log = folder / "root", ARTEFACTS / "jupyterlab.log"
        shutil.copytree(ROOT / "notebooks", self.root / "notebooks")
        (self.root / "scratch").mkdir(parents=True)
        self.token, self.port = secrets.token_hex(16), free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                self.command(), env=self.environment(folder), stdout=log, stderr=log, start_new_session=True
            )
        self.wait()

    def command(self) -> list[str]:
        return [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--expose-app-in-browser"),
            *("--ServerApp.ip=127.0.0.1", f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0"),
            *(f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={self.root}"),
            "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        ]

    def environment(self, folder: pathlib.Path) -> dict[str, str]:
        names = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_WORKSPACES_DIR")
        names += ("JUPYTERLAB_SETTINGS_DIR", "IPYTHONDIR")
        folders = {name: str(folder / name.lower()) for name in names}
        for name, values in SETTINGS.items():
            path = pathlib.Path(
                folders["JUPYTERLAB_SETTINGS_DIR"], "@jupyterlab", f"{name}.jupyterlab-settings"
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))
        return {"UNROLLED_PRESET": self.preset, "GOMP_SPINCOUNT": "2000", **os.environ, **folders}

    def wait(self, seconds: float = 180) -> None:
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            try:
                return self.api("status")
            except OSError:
                time.sleep(0.1)
        raise RuntimeError(f"JupyterLab did not start; its log:\n{self.log.read_text()[-2000:]}")

    def api(self, path: str, method: str = "GET", body: dict | None = None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base}/api/{path}", data, method=method)
        request.add_header("Authorization", f"token {self.token}")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or "null")

    def close(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(20)


def launch(playwright):
    """Start the Chromium that `tools.browser` found; `expect` waits as long as the pages do."""
    from playwright.sync_api import expect  # here: what the course runs on has a server, but no playwright

    expect.set_options(timeout=PATIENCE)
    return playwright.chromium.launch(executable_path=browser.find(), args=CHROMIUM_ARGUMENTS)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Lab:
    """What one test does in the browser, and what it must not have done when it ends."""

    def __init__(self, server: Server, chromium, test: str):
        self.server, self.root = server, server.root
        self.name = re.sub(r"\W+", "-", test).strip("-")
        self.context = chromium.new_context(viewport={"width": 1280, "height": 1000}, reduced_motion="reduce")
        self.console: list[str] = []
        self.outside: list[str] = []
        # anywidget's complaint, on a machine that is too busy, about a widget that took two seconds to start
        self.ignored: list[str] = ["Failed to initialize model"]
        self.context.on("page", self.watch)
        self.context.on("request", lambda request: self.note_request(request.url))

    def watch(self, page) -> None:
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda m: self.console.append(m.text[:500]) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.console.append(f"uncaught: {error}"[:500]))
        page.on("websocket", lambda socket: self.note_request(socket.url))

    def note_request(self, url: str) -> None:
        own = (self.server.base, self.server.base.replace("http", "ws", 1), "data:", "blob:", "file:")
        if not url.startswith(own):
            self.outside.append(url)

    def ignore(self, *texts: str) -> None:
        """Allow console errors that contain one of these texts: the test provokes them."""
        self.ignored += texts

    def scratch(self, *cells: str, name: str | None = None) -> str:
        """Write a notebook of these code cells; its path, as `open` takes it."""
        metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        code = [nbformat.v4.new_code_cell(cell) for cell in cells]
        path = self.root / "scratch" / f"{name or self.name}.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=code, metadata=metadata), path)
        return str(path.relative_to(self.root))

    def open(self, notebook: str, theme: str = "light"):
        """Open a notebook in a page of its own and wait until its kernel is idle."""
        page = self.context.new_page()
        query = f"token={self.server.token}&reset"
        page.goto(f"{self.server.base}/lab/tree/{notebook}?{query}", wait_until="domcontentloaded")
        self.settle(page)
        self.theme(page, theme)
        return page

    def settle(self, page) -> None:
        """Wait until the notebook is drawn and its kernel idle, as after opening or reloading the page."""
        page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=90 * SECONDS)
        page.wait_for_function(
            """() => { const kernel =
                window.jupyterapp?.shell.currentWidget?.context?.sessionContext?.session?.kernel;
            return kernel?.connectionStatus === 'connected' && kernel.status === 'idle'; }""",
            timeout=90 * SECONDS,
        )

    def reload(self, page) -> None:
        """Save, then reload the page as a learner would with F5; the kernel lives on."""
        page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        page.reload(wait_until="domcontentloaded")
        self.settle(page)

    def run(self, *cells: str, theme: str = "light"):
        """A scratch notebook of these code cells, opened and run."""
        page = self.open(self.scratch(*cells), theme)
        self.run_all(page)
        return page

    def run_all(self, page, seconds: float = 300, errors: bool = False) -> None:
        """Run All Cells and wait for the end; an error output fails the test unless `errors`."""
        self.command(page, "notebook:run-all-cells", seconds)
        failures = self.errors(page)
        assert errors or not failures, f"a cell failed:\n{failures[0]}"

    def command(self, page, command: str, seconds: float = 60) -> None:
        """Run one of JupyterLab's commands and wait until it is done and the kernel idle."""
        page.evaluate(
            """command => { window.commandDone = false;
            window.jupyterapp.commands.execute(command).finally(() => { window.commandDone = true; }); }""",
            command,
        )
        page.wait_for_function("() => window.commandDone", timeout=seconds * SECONDS)
        self.wait_idle(page, seconds)

    def wait_idle(self, page, seconds: float = 300) -> None:
        """Wait until the kernel is idle and no cell waits for it."""
        page.wait_for_function(
            """() => document.querySelector('.jp-Notebook-ExecutionIndicator')?.dataset.status === 'idle'
            && ![...document.querySelectorAll('.jp-Notebook .jp-InputPrompt')]
                .some(prompt => prompt.textContent.includes('*'))""",
            timeout=seconds * SECONDS,
        )

    def execute(self, page, code: str, seconds: float = 60) -> str:
        """Append a code cell below the last one, run it, and return the text it wrote."""
        page.locator(".jp-Notebook .jp-Cell").last.click(position={"x": 2, "y": 2})
        self.command(page, "notebook:move-cursor-down", 5)
        self.command(page, "notebook:insert-cell-below", 5)
        page.evaluate(
            """code => { const cell = window.jupyterapp.shell.currentWidget.content.activeCell;
            cell.model.sharedModel.setSource(code); }""",
            code,
        )
        self.command(page, "notebook:run-cell", seconds)
        # Out of the model, which is complete when the cell is done; the page draws it a moment later.
        return page.evaluate(
            """() => (window.jupyterapp.shell.currentWidget.content.model.toJSON().cells.at(-1).outputs ?? [])
            .map(output => output.text ?? output.data?.['text/plain'] ?? `${output.ename}: ${output.evalue}`)
            .flat().join('').trim()"""
        )

    def kernel_says(self, page, code: str, *texts: str) -> str:
        """Run `code` until it writes all `texts`: what a hand does, the kernel hears a moment later."""
        end = time.monotonic() + PATIENCE / SECONDS
        while True:
            said = self.execute(page, code)
            missing = [text for text in texts if text not in said]
            if not missing:
                return said
            assert time.monotonic() < end, f"{code!r} never wrote {missing}, but:\n{said}"
            page.wait_for_timeout(500)

    def click_plot(self, plot, place: dict[str, float], effect) -> None:
        """Click until the locator `effect` is there: plotly clicks what it has seen the pointer over."""
        from playwright.sync_api import TimeoutError as Late

        for pause in (300, 1000, 3000, 9000):
            plot.hover(position=place)
            plot.page.wait_for_timeout(pause)
            plot.click(position=place)
            with contextlib.suppress(Late):
                return effect.wait_for(timeout=10 * pause)
        effect.wait_for()

    def output(self, page, cell: int):
        """Locator of the output area of a code cell, counted from 0."""
        return page.locator(".jp-Notebook .jp-CodeCell").nth(cell).locator(".jp-Cell-outputArea")

    def errors(self, page) -> list[str]:
        """Name, message and traceback of every error output."""
        found = page.evaluate(
            """() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells
            .flatMap(cell => cell.outputs ?? []).filter(output => output.output_type === 'error')
            .map(output => [`${output.ename}: ${output.evalue}`, ...output.traceback].join('\\n'))"""
        )
        return [re.sub(r"\x1b\[[\d;]*m", "", text) for text in found]

    def theme(self, page, name: str) -> None:
        """Switch JupyterLab to "light" or "dark" and wait until its style sheet is in force."""
        wanted, body = THEMES[name], page.locator("body[data-jp-theme-name]")
        # JupyterLab trips over a second change while the first is on its way.
        body.wait_for(state="attached")
        if body.get_attribute("data-jp-theme-name") == wanted:
            return
        page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", wanted)
        page.wait_for_selector(f'body[data-jp-theme-name="{wanted}"]', state="attached")
        page.wait_for_timeout(300)

    def html(self, path, theme: str = "light"):
        """Open a page from disk, without any server: what a kernel-less export must bear."""
        page = self.context.new_page()
        page.emulate_media(color_scheme=theme)
        page.goto(pathlib.Path(path).resolve().as_uri())
        return page

    def screenshot(self, name: str, page, **options) -> pathlib.Path:
        """Keep what the page shows under test-artifacts/; options go to playwright (full_page=True, …)."""
        path = ARTEFACTS / f"{self.name}-{name}.png"
        page.screenshot(path=path, **options)
        return path

    def close(self, failed: bool) -> None:
        """End the test's kernels and pages; fail on console errors and requests to the outside."""
        if failed:
            for number, page in enumerate(self.context.pages):
                self.screenshot(f"failed-{number}", page)
        self.context.close()
        for session in self.server.api("sessions"):
            self.server.api(f"sessions/{session['id']}", "DELETE")
        console = [text for text in self.console if not any(known in text for known in self.ignored)]
        assert failed or not console, f"the browser's console shows errors: {console}"
        assert failed or not self.outside, f"requests to the outside: {self.outside}"
