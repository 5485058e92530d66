"""Sentences to numbers and back, for translation: by characters, or by word pieces learnt from text.

Both begin with the same signs: 0 fills up a batch, 1 begins a sentence, 2 ends it.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

import torch
from jaxtyping import Int
from torch import Tensor

from lessons.arguments import Count, explained
from lessons.errors import LessonError
from lessons.readers import RARE

PAD, BEGIN, END, UNKNOWN = 0, 1, 2, 3
SIGNS = ("·", "⟨", "⟩")  # how they are shown
Ids = Iterable[int]


class Tokens:
    """What both ways have in common: `symbols`, one string for each number, SIGNS first."""

    kind: ClassVar[str]
    symbols: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.symbols)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.config() == other.config()

    def __hash__(self) -> int:
        return hash(self.symbols)

    def encode(self, text: str) -> list[int]:
        """The numbers of a sentence, without begin and end."""
        raise NotImplementedError

    def decode(self, ids: Ids) -> str:
        """The sentence that numbers stand for, up to the first END; the other signs are left out."""
        raise NotImplementedError

    def config(self) -> dict[str, Any]:
        """Plain values from which `tokens(...)` builds this again."""
        raise NotImplementedError

    def labels(self, ids: Ids) -> tuple[str, ...]:
        """Each number's symbol, signs included: the axis of a picture."""
        return tuple(self.symbols[number] for number in ids)

    @explained
    def batch(
        self, texts: Sequence[str], end: bool = False, device: torch.device | str | None = None
    ) -> tuple[Int[Tensor, "batch time"], Int[Tensor, " batch"]]:
        """Sentences in one rectangle, padded with PAD, and their lengths; `end` puts END behind each.

        Raises LessonError where there is no sentence, an empty one, or one with unknown characters.
        """
        if not texts:
            raise LessonError("There is no sentence here; give at least one.")
        rows = [self.encode(text) + [END] * end for text in texts]
        if not all(rows):
            raise LessonError("An empty sentence says nothing that could be translated; type something.")
        lengths = torch.tensor([len(row) for row in rows], device="cpu")
        ids = torch.full((len(rows), int(lengths.max())), PAD, dtype=torch.long, device="cpu")
        for row, numbers in zip(ids, rows, strict=True):
            row[: len(numbers)] = torch.tensor(numbers)
        return ids.to(device), lengths.to(device)


def _whole(ids: Ids) -> list[int]:
    """The numbers up to the first END, without signs."""
    found = []
    for number in ids:
        if number == END:
            break
        if number > END:
            found.append(int(number))
    return found


class Characters(Tokens):
    """One number for each character of `alphabet`, and one for each of `tags`.

    A tag, such as "<2de>", may stand at the front of a sentence and is one symbol there: that is how
    Johnson et al. (2017) name the language to translate into.
    """

    kind = "characters"

    @explained
    def __init__(self, alphabet: str, tags: Sequence[str] = ()) -> None:
        if not alphabet or set(alphabet) & set(SIGNS):
            raise LessonError(f"An alphabet has at least one character, and none of {' '.join(SIGNS)}.")
        if any(len(tag) < 2 for tag in tags) or len(set(tags)) < len(tags):
            raise LessonError("Tags are longer than one character, and no two are the same.")
        self.tags = tuple(tags)
        self.symbols = (*SIGNS, *sorted(set(alphabet)), *self.tags)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {symbol: number for number, symbol in enumerate(self.symbols) if number > END}

    @explained
    def encode(self, text: str) -> list[int]:
        """The numbers of a sentence's characters; LessonError names those that are not in the alphabet."""
        tag, rest = self.headed(text)
        if strange := sorted(set(rest) - self._numbers.keys()):
            shown = ", ".join(map(repr, strange[:5]))
            behind = f", behind one of {' '.join(self.tags)}" if self.tags else ""
            raise LessonError(
                f"The network has never seen {shown} (in {text[:40]!r}); use only {self.alphabet!r}{behind}."
            )
        return [self._numbers[sign] for sign in (*[tag][: len(tag)], *rest)]

    def headed(self, text: str) -> tuple[str, str]:
        """The tag at the front of a sentence, empty if there is none, and the rest."""
        tag = next((tag for tag in self.tags if text.startswith(tag)), "")
        return tag, text[len(tag) :]

    def decode(self, ids: Ids) -> str:
        """The characters up to the first END."""
        return "".join(self.symbols[number] for number in _whole(ids))

    @property
    def alphabet(self) -> str:
        """All characters, sorted."""
        return "".join(self.symbols[END + 1 : len(self.symbols) - len(self.tags)])

    def config(self) -> dict[str, Any]:
        """The alphabet, and the tags if there are any."""
        tags = {"tags": list(self.tags)} if self.tags else {}
        return {"kind": self.kind, "alphabet": self.alphabet, **tags}


class WordPieces(Tokens):
    """Pieces of words, learnt from text by byte-pair merges (Sennrich et al. 2016), as `tokenizers` does it.

    A piece that begins a word shows a ▁ for the space before it, as in SentencePiece. GNMT's own word pieces
    (Wu et al. 2016, section 4.1) choose merges by likelihood instead of frequency.
    """

    kind = "pieces"

    @explained
    def __init__(self, model: str) -> None:
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_str(model)
        except Exception as error:  # the Rust side raises nothing narrower
            raise LessonError("These word pieces are damaged; learn them again from the text.") from error
        self._model = json.dumps(json.loads(model), ensure_ascii=False, sort_keys=True)
        named = self._tokenizer.get_vocab()
        self.symbols = tuple(sorted(named, key=named.__getitem__))

    @classmethod
    @explained
    def learn(cls, texts: Sequence[str], size: Count = 500) -> "WordPieces":
        """Learn `size` pieces, signs and single characters included, from sentences.

        Raises LessonError if the sentences have more characters than there is room for.
        """
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

        characters = set("".join(texts))
        if not texts or size < len(characters) + len(SIGNS) + 2:
            raise LessonError(
                f"{size} pieces are too few for {len(characters)} characters; give text, and more pieces."
            )
        tokenizer = Tokenizer(models.BPE(unk_token=RARE))
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
        tokenizer.decoder = decoders.Metaspace()
        trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=[*SIGNS, RARE], show_progress=False)
        tokenizer.train_from_iterator(texts, trainer)
        return cls(tokenizer.to_str())

    @explained
    def encode(self, text: str) -> list[int]:
        """The numbers of a sentence's pieces; a character that was never learnt becomes UNKNOWN."""
        return self._tokenizer.encode(text).ids

    def decode(self, ids: Ids) -> str:
        """The text of the pieces up to the first END."""
        return self._tokenizer.decode(_whole(ids), skip_special_tokens=False)

    def config(self) -> dict[str, Any]:
        """The learnt merges, as JSON."""
        return {"kind": self.kind, "model": self._model}


@explained
def tokens(config: Tokens | Mapping[str, Any]) -> Tokens:
    """Characters or WordPieces from their `config()`; what is built already comes back as it is.

    Raises LessonError for anything else.
    """
    if isinstance(config, Tokens):
        return config
    kinds = {way.kind: way for way in (Characters, WordPieces)}
    if not isinstance(config, Mapping) or config.get("kind") not in kinds:
        raise LessonError("Words are cut by Characters or WordPieces, or by what their config() gave.")
    rest = {name: value for name, value in config.items() if name != "kind"}
    return kinds[config["kind"]](**rest)
