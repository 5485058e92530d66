"""Lesson 14: tunes written under a header, how certain, how valid; score, sound and MIDI of a tune."""

import io
import subprocess
import wave
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch

from lessons import (
    abc_reader,
    char_rnn,
    corpora,
    engraving,
    made_tunes,
    song_study,
    songs,
    synthesiser,
    tune_features,
    tune_scores,
    units,
)
from lessons.errors import LessonError
from lessons.ngram import NGram
from lessons.songs import Condition
from lessons.tracing import trace
from lessons.training import fit

TUNE = "R:jig\nM:6/8\nL:1/8\nK:D\n|:A|dAF [DFA]3-|[DFA]3 g2e:|\n"


@pytest.fixture(scope="module")
def books():
    made = corpora.load("made-tunes", quiet=True)
    return replace(made, documents=made.documents[:80])


@pytest.fixture(scope="module")
def model(books):
    sizes = songs.PRESETS["ci"].but(corpus="made-tunes")
    return char_rnn.build(books.vocabulary, sizes, seed=1).eval()


def test_a_condition_is_a_header_in_fixed_order():
    assert Condition("reel", "C|", "Am").header == "R:reel\nM:C|\nL:1/8\nK:Am\n"
    assert "L:1/16" in Condition("hornpipe", "2/4", "G").header
    for wrong in ({"dance": "tango"}, {"metre": "5/4"}, {"key": "H"}):
        with pytest.raises(LessonError):
            Condition(**wrong)


def test_a_batch_writes_what_each_header_alone_would_begin(model):
    headers = [Condition("jig", "6/8", "D").header, Condition("reel", "C|", "Am").header + "|:ABc"]
    written = songs.write(model, headers, temperature=0.9, seed=3, longest=40)
    assert [text.startswith(header) for text, header in zip(written, headers, strict=True)] == [True, True]
    assert songs.write(model, headers, temperature=0.9, seed=3, longest=40) == written
    assert songs.write(model, headers, temperature=0.9, seed=4, longest=40) != written
    assert all(len(text) <= len(header) + 42 for text, header in zip(written, headers, strict=True))


def test_the_coldest_tune_follows_the_likeliest_characters(model):
    header = Condition("jig", "6/8", "D").header
    (cold,) = songs.write(model, [header], temperature=0.0, longest=12)
    text = "\n" + header
    for _ in range(12):
        logits, _ = model(model.encode(text))
        text += model.vocabulary.symbols[int(logits[0, -1].argmax())]
    assert cold == text.strip("\n") + "\n"


def test_a_tune_ends_at_a_blank_line(model):
    newline = model.vocabulary.symbols.index("\n")
    with torch.no_grad():
        bias = model.readout.bias.clone()
        model.readout.bias[newline] += 50
        (text,) = songs.write(model, [Condition("jig", "6/8", "D").header], longest=50)
        model.readout.bias.copy_(bias)
    assert text == Condition("jig", "6/8", "D").header


def test_the_ngram_writes_under_the_same_headers(books):
    counted = NGram(4).fit(books.train, books.vocabulary)
    header = songs.headers(books, "test", 2)[0]
    (text,) = songs.write_by_counts(counted, [header], temperature=1.0, seed=2, longest=60)
    assert text.startswith(header) and songs.header(text) == header
    assert songs.write_by_counts(counted, [header], temperature=1.0, seed=2, longest=60) == [text]


def test_certainty_is_the_product_over_a_notes_characters(model):
    text = songs.bodies(corpora.load("made-tunes", quiet=True), "test")[0]
    tune = abc_reader.parse(text)
    ids = model.encode("\n" + text)
    logits, _ = model(ids[:, :-1])
    each = logits[0].softmax(-1).gather(-1, ids[0, 1:, None])[:, 0].detach()
    found = songs.certainty(model, tune)
    for note, chance in zip(tune.notes, found, strict=True):
        assert chance == pytest.approx(float(each[note.begin : note.end].prod()), rel=1e-4)


def test_training_and_the_study_run_small(books, tmp_path):
    sizes = songs.PRESETS["ci"].but(corpus="made-tunes", steps=3, evaluate_every=3)
    task = songs.SongTask(char_rnn.build(books.vocabulary, sizes), books, sizes)
    run = fit(task, progress=False)
    assert run.name == "songs" and run.reason == "finished"
    found = song_study.study(task.model, books, (0.5, 1.0), tunes=2, longest=30)
    assert song_study.load(song_study.save(found, tmp_path / "songs.json")) == found
    for measures in found.figures.values():
        assert all(len(values) == 2 for values in measures.values())
    (tmp_path / "songs.json").write_text("{")
    with pytest.raises(LessonError, match="make it with"):
        song_study.load(tmp_path / "songs.json")


def test_the_committed_study_is_of_the_shipped_network():
    found = song_study.load()
    assert not found.provenance["fallback"] and found.command == song_study.COMMAND
    assert tuple(found.temperatures) == song_study.TEMPERATURES
    assert songs.pretrained().cell == "lstm"


def test_units_are_scored_against_what_a_musician_knows(model):
    read = songs.bodies(corpora.load("made-tunes", quiet=True), "test")[:6]
    found = units.scores(trace(model, read), read, describe=tune_features.features)
    assert {"the bar is full", "place in the bar"} <= {score.feature for score in found}


# ------------------------------------------------------------------------------------------ score and sound


def test_without_verovio_there_is_one_sentence(monkeypatch):
    monkeypatch.setattr(engraving.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(LessonError, match="pip install verovio"):
        engraving.svg(abc_reader.parse(TUNE))


@pytest.mark.parametrize("way", ["crash", "silence", "time"])
def test_whatever_happens_to_verovio_is_one_sentence(monkeypatch, way):
    def run(command, **options):
        if way == "time":
            raise subprocess.TimeoutExpired(command, options["timeout"])
        return subprocess.CompletedProcess(command, -11 if way == "crash" else 0, b"", b"")

    monkeypatch.setattr(engraving.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(engraving.subprocess, "run", run)
    with pytest.raises(LessonError, match="Verovio"):
        engraving.svg(abc_reader.parse(TUNE))


def test_verovio_is_handed_nothing_but_notes(monkeypatch):
    seen = []
    hostile = 'X:1\nT:<script>\n%%abc-include /etc/passwd\nK:D\n"<b>"A2 %%MIDI\n|]\n'
    monkeypatch.setattr(engraving.importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(engraving.subprocess, "run", lambda command, **options: seen.append(options) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        engraving.svg(abc_reader.parse(hostile))
    assert seen[0]["input"] == b"X:1\nT:\nM:C\nL:1/8\nK:D\nA2\n|]\n"


def test_a_score_is_drawn_where_verovio_is():
    pytest.importorskip("verovio")
    drawing = engraving.svg(abc_reader.parse(TUNE))
    assert drawing.lstrip().startswith("<svg") and drawing.count('class="note"') == 3 + 6 + 3


def test_sound_lasts_as_long_as_the_tune_and_holds_its_pitches():
    tune = abc_reader.parse("M:C\nL:1/4\nK:C\nA2 z2|a4|\n")
    played = synthesiser.times(tune)
    whole = synthesiser.seconds_of_a_whole(tune)
    assert [(one.start, one.end) for one in played] == [(0, whole / 2), (whole, 2 * whole)]
    sound = synthesiser.samples(tune)
    assert len(sound) == pytest.approx(synthesiser.RATE * (2 * whole + synthesiser.RELEASE), abs=2)
    assert np.abs(sound).max() == pytest.approx(synthesiser.LOUDEST)
    for (start, end), frequency in zip([(0, whole / 2), (whole, 2 * whole)], (440, 880), strict=True):
        part = sound[int(start * synthesiser.RATE) : int(end * synthesiser.RATE)]
        peak = np.abs(np.fft.rfft(part)).argmax() * synthesiser.RATE / len(part)
        assert peak == pytest.approx(frequency, rel=0.01)
    rest = sound[int((whole / 2 + 0.1) * synthesiser.RATE) : int((whole - 0.01) * synthesiser.RATE)]
    assert not rest.any()


def test_a_wav_file_is_what_players_read():
    with wave.open(io.BytesIO(synthesiser.wav(abc_reader.parse(TUNE)))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 22_050)
        seconds = file.getnframes() / file.getframerate()
    assert seconds == pytest.approx(synthesiser.times(abc_reader.parse(TUNE))[-1].end, abs=0.1)


def test_speed_and_length_have_bounds():
    tune = abc_reader.parse(TUNE)
    assert synthesiser.times(tune, speed=2.0)[-1].end == pytest.approx(synthesiser.times(tune)[-1].end / 2)
    with pytest.raises(LessonError, match="above 0"):
        synthesiser.times(tune, speed=0.0)
    with pytest.raises(LessonError, match="play it faster"):
        synthesiser.wav(abc_reader.parse("K:C\n" + "A8 B8|" * 200))


def read_midi(data):
    """(start, end, pitch) in ticks of a one-track file: a second reader, written from the standard."""
    assert data[:4] == b"MThd" and data[14:18] == b"MTrk"
    at, now, found, on = 22, 0, [], {}
    assert int.from_bytes(data[18:22], "big") == len(data) - 22
    while at < len(data):
        delta = 0
        while True:
            delta, more, at = delta << 7 | data[at] & 0x7F, data[at] & 0x80, at + 1
            if not more:
                break
        now += delta
        status = data[at]
        if status == 0xFF:
            at += 3 + data[at + 2]
        elif status == 0xC0:
            at += 2
        else:
            pitch = data[at + 1]
            if status == 0x90:
                on[pitch] = now
            else:
                found.append((on.pop(pitch), now, pitch))
            at += 3
    assert not on
    return sorted(found)


@pytest.mark.parametrize("raw", [TUNE, "M:C\nL:1/8\nK:C\nA>B A64 [ce]2|A A A A|\n", made_tunes.make(1, 7)])
def test_midi_says_what_is_heard(raw):
    tune = abc_reader.parse(raw)
    heard = [
        (round(1920 * one.start), round(1920 * (one.start + one.length)), pitch)
        for one in tune.sounded()
        for pitch in one.pitches
    ]
    assert read_midi(synthesiser.midi(tune)) == sorted(heard)


def test_a_chord_that_is_tied_sounds_once():
    heard = abc_reader.parse(TUNE).sounded(repeats=False)
    assert [one.length for one in heard if len(one.pitches) == 3] == [Fraction(3, 4)]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda model: songs.write(model, "R:jig", 0.7, longest=1.5), "longest is a whole number"),
        (lambda model: songs.write(model, [], 0.7), "at least one header"),
        (lambda model: songs.write(model, "K:D\n"), "in brackets"),
        (lambda model: tune_scores.adds_up(TUNE), "tune is a Tune"),
        (lambda model: tune_scores.judge_all(5), "texts is"),
        (lambda model: tune_scores.summary(5), "verdicts is"),
        (lambda model: abc_reader.plain(TUNE), "tune is a Tune"),
        (lambda model: song_study.load(5), "place is"),
        (lambda model: Condition(unit="banana"), "no unit of length"),
        (lambda model: songs.write("a model", ["K:D\n"]), "model is a CharModel"),
        (lambda model: songs.write(model, ["K:D\n"], temperature=-1), "temperature is"),
        (lambda model: songs.write(model, ["K:é\n"]), "not in the model's vocabulary"),
        (lambda model: songs.certainty(model, TUNE), "tune is a Tune"),
        (lambda model: songs.chances(model, None), "text is a string"),
        (lambda model: songs.headers("books"), "corpus is a Corpus"),
        (lambda model: engraving.svg(TUNE), "tune is a Tune"),
        (lambda model: synthesiser.wav(TUNE), "tune is a Tune"),
        (lambda model: tune_features.features(7), "text is a string"),
    ],
)
def test_wrong_arguments_are_one_sentence(model, call, words):
    with pytest.raises(LessonError, match=words):
        call(model)
