"""The projector's program: what it shows of each lesson, how it answers a hand, whom it refuses."""

import http.client
import json
import subprocess
import sys
import threading

import plotly.graph_objects as go
import pytest

from lessons.__main__ import TRAINABLE
from tools import demo, outline
from widgets import showcase, theme
from widgets.stage import Stage

SLOW = {"generation", "recursive"}  # their models and texts take seconds to open
PICTURES = [(slug, picture) for slug, rows in showcase.TOPICS.items() if slug not in SLOW for picture in rows]
PLAIN = "shown as it was given"


@pytest.fixture
def ask():
    """A demo on a port of its own, asked as its page asks."""
    server = demo.serve()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def request(path, body=None, **headers):
        line = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
        text = None if body is None else json.dumps(body)
        line.request("GET" if body is None else "POST", path, text, headers or {demo.HEADER: "demo"})
        answer = line.getresponse()
        found = answer.read().decode()
        line.close()
        return answer.status, found

    yield request
    server.shutdown()
    server.server_close()
    thread.join()
    theme.use("light")


def test_topics_are_lessons_and_every_lesson_is_listed_in_order(ask):
    slugs = [one.slug[3:] for one in outline.outlines()]
    assert set(showcase.TOPICS) <= {*slugs, *TRAINABLE}
    status, text = ask("/lessons")
    listed = json.loads(text)
    assert status == 200 and [row["slug"] for row in listed] == [
        slug for slug in slugs if slug in showcase.TOPICS
    ]
    assert all(row["question"].endswith("?") and row["asks"] and row["pictures"] for row in listed)


@pytest.mark.parametrize(("slug", "picture"), PICTURES, ids=lambda one: getattr(one, "name", one))
def test_every_picture_opens_without_a_notebook(slug, picture):
    parts = Stage(picture.make()).parts()
    assert {part["kind"] for part in parts} <= {"module", "plot", "html"}
    for part in parts:
        assert not part.get("state", {}).get("message"), part["state"]["message"]
        if part["kind"] == "plot":
            assert part["figure"]["data"] and part["figure"]["layout"]


def test_a_hand_on_a_control_moves_the_picture_and_the_summary():
    stage = Stage(showcase.gru_unit())
    bar, plot = stage.parts()
    before = plot["figure"]["data"]
    changed = stage.change(0, {"values": {**bar["state"]["values"], "z": 0.5}, "asked": 1})
    assert changed[0]["done"] == 1 and "0.50" in changed[0]["summary"]
    assert "values" not in changed[0], "the page knows what it has sent"
    assert changed[1]["figure"]["data"] != before
    assert "title" not in changed[1]["figure"]["layout"], "the bar shows the heading"


def test_a_refused_value_is_a_sentence_and_changes_nothing():
    stage = Stage(showcase.gru_unit())
    bar, plot = stage.parts()
    changed = stage.change(0, {"values": {**bar["state"]["values"], "z": 7}, "asked": 1})
    assert "7" in changed[0]["message"] and changed[0]["done"] == 1
    assert changed[1]["figure"] == plot["figure"]


def test_a_figure_alone_keeps_its_heading():
    (part,) = Stage(go.Figure(go.Scatter(y=[1.0, float("nan")]), layout={"title": PLAIN})).parts()
    assert part["figure"]["layout"]["title"]["text"] == PLAIN
    assert json.loads(json.dumps(part["figure"], allow_nan=False))


def test_the_page_opens_a_picture_in_a_theme_and_changes_it(ask):
    status, text = ask("/open?lesson=gru&picture=0&theme=dark")
    opened = json.loads(text)
    assert status == 200 and opened["parts"][0]["state"]["theme"] == "dark"
    values = {**opened["parts"][0]["state"]["values"], "z": 0.25}
    asked = {"stage": opened["stage"], "number": 0, "traits": {"values": values, "asked": 1}}
    status, text = ask("/change", asked)
    assert status == 200 and json.loads(text)["0"]["done"] == 1
    again = json.loads(ask("/open?lesson=gru&picture=0&theme=dark")[1])
    assert again["parts"][0]["state"]["values"]["z"] == 0.25, "kept until the program ends"


def test_what_a_class_starts_needs_no_package_of_the_tests():
    """`make demo`, `make student` and Binder's rehearsal run on what requirements.txt installs."""
    code = (
        "import sys, tools.demo, tools.student, tools.memory, tools.classroom, tools.rehearsal;"
        "print(*{'playwright', 'jupytext', 'pytest'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=outline.readme.ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr[-2000:]


def test_a_topic_is_named_by_word_or_number():
    shown = demo.Demo()
    assert demo.first(shown, "lstm") == demo.first(shown, "04") == "lstm"
    assert demo.first(shown, "") == demo.first(shown, "nonsense") == "start_here"


def test_strangers_and_wrong_addresses_are_refused_in_a_sentence(ask):
    assert ask("/lessons", Origin="http://elsewhere") == (403, "Only the demo's own page may ask this.")
    for path in (
        "/open?lesson=nothing&picture=0&theme=dark",
        "/open?lesson=gru&picture=9&theme=light",
        "/open",
    ):
        assert ask(path) == (404, "There is no such picture.")
    assert ask("/open?lesson=gru&picture=0&theme=pink")[0] == 409
    assert ask("/secrets")[0] == 404
