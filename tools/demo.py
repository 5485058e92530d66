"""The lessons' pictures on a projector: `make demo`, or `make demo TOPIC=lstm`.

A page without code and without a notebook: a question, a picture as large as the window allows, and keys for
everything. The explorers are those of the lessons, over the models that come with the course, and answer to
every control; they live in this program, which only this machine can reach. Nothing is trained.
"""

import argparse
import functools
import json
import threading
import webbrowser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from plotly.offline import get_plotlyjs

from lessons.errors import LessonError
from tools import outline
from widgets import esm, theme
from widgets.showcase import TOPICS
from widgets.stage import Stage, wire

HEADER = "X-Unrolled"  # a page of another site cannot send it, so it cannot move anything here
POLICY = (
    "default-src 'self'; script-src 'self' blob:; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src blob:; font-src data:; base-uri 'none'; form-action 'none'"
)
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Unrolled</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="style.css"></head>
<body>
<header><h1><span id="number"></span><span id="question"></span></h1>
<nav id="tabs" aria-label="pictures of this lesson"></nav>
<nav aria-label="all pictures"><button id="back" type="button" aria-label="previous picture">◀</button>
<button id="on" type="button" aria-label="next picture">▶</button>
<button id="lessons" type="button">lessons</button>
<button id="dark" type="button">dark</button></nav></header>
<p id="asks" hidden></p>
<main id="room"><p id="message" role="status"></p><div id="stage"></div><div id="spacer"></div></main>
<footer id="help"></footer>
<dialog id="list" aria-labelledby="choose"><h2 id="choose">Lessons</h2><div id="rows"></div></dialog>
<script src="plotly.js"></script><script type="module" src="stage.js"></script>
</body></html>
"""


class Demo:
    """The explorers that are open; one hand at a time moves them."""

    def __init__(self) -> None:
        self.stages: dict[str, Stage] = {}
        self.lock = threading.Lock()

    @functools.cached_property
    def lessons(self) -> list[dict]:
        """What there is to show: lessons in order, with their questions and the names of their pictures."""
        found = []
        for one in outline.outlines():
            slug = one.slug[3:]
            if slug in TOPICS:
                names = [picture.name for picture in TOPICS[slug]]
                row = {
                    "slug": slug,
                    "number": one.number,
                    "question": one.question,
                    "asks": outline.plain(one.guess),
                }
                found.append({**row, "pictures": names})
        return found

    def open(self, lesson: str, picture: int, theme_name: str) -> dict:
        """The parts of a picture in a theme, made when it is first asked for."""
        key = f"{lesson}/{picture}/{theme_name}"
        with self.lock:
            theme.use(theme_name)
            if key not in self.stages:
                self.stages[key] = Stage(TOPICS[lesson][picture].make())
            return {"stage": key, "parts": self.stages[key].parts()}

    def change(self, stage: str, number: int, traits: dict) -> dict:
        """What a hand has moved, and what follows from it."""
        with self.lock:
            theme.use(stage.rpartition("/")[2])
            return self.stages[stage].change(number, traits)


class Handler(BaseHTTPRequestHandler):
    """Answers the page: its files, the list of lessons, a picture's parts, a change."""

    demo: Demo

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        files = {
            "/": ("text/html", lambda: PAGE),
            "/stage.js": ("text/javascript", lambda: esm.read("stage.js")),
            "/style.css": ("text/css", lambda: f"{esm.read('stage.css')}\n{esm.style()}"),
            "/plotly.js": ("text/javascript", get_plotlyjs),
        }
        if path in files:
            kind, text = files[path]
            return self.answer(text(), kind)
        if path == "/lessons":
            return self.told(lambda: self.demo.lessons)
        if path == "/open":
            asked = {name: values[0] for name, values in query.items()}
            return self.told(lambda: self.demo.open(asked["lesson"], int(asked["picture"]), asked["theme"]))
        self.answer("There is no such page.", "text/plain", 404)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.told(lambda: self.demo.change(body["stage"], body["number"], body["traits"]))

    def told(self, find) -> None:
        """Answer with what `find()` returns, as JSON; a sentence where it cannot be had."""
        if self.headers.get(HEADER) is None:
            return self.answer("Only the demo's own page may ask this.", "text/plain", 403)
        try:
            text = json.dumps(find(), default=wire)
        except LessonError as problem:
            return self.answer(str(problem), "text/plain", 409)
        except (KeyError, ValueError, IndexError):
            return self.answer("There is no such picture.", "text/plain", 404)
        self.answer(text, "application/json")

    def answer(self, text: str, kind: str, status: int = 200) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing of every request."""


def first(demo: Demo, topic: str) -> str:
    """The lesson that a topic names, by word or number; the first one for any other."""
    slugs = {row[key]: row["slug"] for row in demo.lessons for key in ("number", "slug")}
    return slugs.get(topic, demo.lessons[0]["slug"])


def serve(port: int = 0) -> ThreadingHTTPServer:
    """A server on this machine alone; `server_port` tells where, `serve_forever()` runs it."""
    handler = type("Handler", (Handler,), {"demo": Demo()})
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


def main(argv: list[str] | None = None) -> int:
    """Serve the demo and open it in the browser, until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("topic", nargs="?", default="", help="a lesson to begin with, such as lstm or 04")
    parser.add_argument("--port", type=int, default=0, help="of the page (default: any free one)")
    parser.add_argument("--dark", action="store_true", help="begin in the dark theme")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    asked = parser.parse_args(argv)
    server = serve(asked.port)
    address = f"http://127.0.0.1:{server.server_port}/?lesson={asked.topic}"
    address += "&theme=dark" if asked.dark else ""
    demo = server.RequestHandlerClass.demo
    # The first picture is made while the browser starts.
    begin = (first(demo, asked.topic), 0, "dark" if asked.dark else "light")
    threading.Thread(target=demo.open, args=begin, daemon=True).start()
    print(f"The pictures are at {address}\nStop with Ctrl-C.", flush=True)
    if not asked.no_browser:
        webbrowser.open(address)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
