"""Measuring notebooks and classes: what is measured again, what is too much, what a server's frames hold."""

import json
import struct

import pytest

from tools import classroom, kernels, memory

ROW = {"kernel": 400, "together": 520, "server": 100, "seconds": 9, "processor": 7, "date": "2026-01-01"}


@pytest.fixture
def measured(monkeypatch, tmp_path):
    """The names that were measured, in a ledger of the test's own."""
    asked = []

    def measure(name, preset, cores):
        asked.append((name, preset, cores))
        return {**ROW, "text": memory.digest(name), "kernel": 1200 if name.startswith("02") else 400}

    monkeypatch.setattr(memory, "PLACE", tmp_path / "measured" / "memory.json")
    monkeypatch.setattr(memory, "names", lambda: ["00_start_here", "01_recurrence", "02_char_rnn"])
    monkeypatch.setattr(memory, "measure", measure)
    return asked


def test_a_run_that_was_cut_off_goes_on_and_changed_code_is_measured_again(measured, monkeypatch):
    assert memory.main(["00_start_here", "--cores", "1"]) == 0
    assert memory.main(["00_start_here", "01_recurrence", "--cores", "1", "2"]) == 0
    first, second = "00_start_here", "01_recurrence"
    assert measured == [(first, "cpu", 1), (second, "cpu", 1), (first, "cpu", 2), (second, "cpu", 2)]
    measured.clear()
    monkeypatch.setattr(memory, "digest", lambda name: "other" if name == first else "same")
    memory.main([first, "--cores", "1"])
    assert measured == [(first, "cpu", 1)]


def test_too_much_is_said_and_fails(measured, capsys):
    assert memory.main(["--cores", "1"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert [line.endswith("<- TOO MUCH") for line in said] == [False, False, True]


def test_the_table_has_a_row_for_every_notebook(measured):
    assert memory.table() == "Not measured yet."
    memory.main(["00_start_here", "--cores", "1"])
    *_, head, rule, first, second, third = memory.table().splitlines()
    assert head.count("|") == rule.count("|") == first.count("|") == third.count("|")
    assert first == "| `00_start_here` | 400 MB | 520 MB | 7 s | – |" and "not measured yet" in second


def test_this_process_keeps_to_a_core_only_meanwhile(monkeypatch):
    asked = []
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setattr(memory.os, "sched_getaffinity", lambda process: {0, 1, 2}, raising=False)
    monkeypatch.setattr(
        memory.os, "sched_setaffinity", lambda process, cores: asked.append(cores), raising=False
    )
    with memory.limited(1):
        assert memory.os.environ["OMP_NUM_THREADS"] == "1"
    assert asked == [[2], {0, 1, 2}] and memory.os.environ["OMP_NUM_THREADS"] == "3"


class Line:
    """A socket with frames to come."""

    def __init__(self, *frames):
        self.frames, self.sent = list(frames), []

    def recv(self):
        return self.frames.pop(0)

    def send(self, text):
        self.sent.append(json.loads(text))


def message(kind, parent, **content):
    return {"header": {"msg_type": kind}, "parent_header": {"msg_id": parent}, "content": content}


def framed(text, *buffers):
    """A message with buffers, as Jupyter's servers send it."""
    parts = [text.encode(), *buffers]
    starts = [4 + 4 * len(parts) + sum(map(len, parts[:k])) for k in range(len(parts))]
    return struct.pack(f"!i{len(parts)}I", len(parts), *starts) + b"".join(parts)


def talking(*messages):
    kernel = object.__new__(kernels.Kernel)
    kernel.path, kernel.session = "notebooks/x.ipynb", "s"
    kernel.send = lambda code: "mine"
    kernel.socket = Line(*messages)
    return kernel


def test_a_cell_ends_when_its_kernel_is_idle_whoever_else_speaks():
    plain, idle = message("stream", "mine", text="hello"), message("status", "mine", execution_state="idle")
    other = message("stream", "another", text="not ours")
    kernel = talking(json.dumps(other), framed(json.dumps(plain), b"\x00\xff"), json.dumps(idle))
    assert kernel.run("1") == [{"type": "stream", "text": "hello"}]


def test_an_error_in_a_cell_names_the_notebook_and_the_cell():
    kernel = talking(json.dumps(message("error", "mine", ename="ValueError", evalue="no")))
    with pytest.raises(kernels.Failed, match=r"x.ipynb: ValueError: no in\nboom\(\)"):
        kernel.run("boom()")


def test_a_class_that_was_not_measured_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(classroom, "PLACE", tmp_path / "measured" / "classroom.json")
    assert classroom.kernels_table() == classroom.demo_table() == "Not measured yet."
    classroom.save(demo={"lstm": {"server": 2.0, "picture": 1.5}})
    assert classroom.demo_table().endswith("| lstm | 2.0 | 1.5 |")
