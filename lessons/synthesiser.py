"""Tunes made audible: a plucked string of five harmonics, in one channel of 22,050 samples a second.

sound = wav(tune)            # bytes of a WAV file
times(tune)                  # which note sounds from when to when, in seconds
"""

import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from lessons.arguments import explained
from lessons.errors import LessonError
from lessons.tune_parts import Sounded, Tune

RATE = 22_050  # samples a second
HARMONICS = (1.0, 0.5, 0.28, 0.12, 0.06)
ATTACK, RELEASE, RING = 0.008, 0.04, 0.9  # seconds; RING: until a string has faded to a third
LONGEST = 300.0  # seconds of sound
LOUDEST = 0.8
WHOLE = {"compound": 1.75, "2/4": 2.8}  # seconds of a whole note at the usual speed, else 2.1


@dataclass(frozen=True)
class Timed:
    """A note that sounds from `start` to `end`, in seconds; `note` numbers it among the written ones."""

    start: float
    end: float
    pitches: tuple[int, ...]
    note: int


@explained
def times(tune: Tune, repeats: bool = True, speed: float | int = 1.0) -> tuple[Timed, ...]:
    """When each note sounds, in seconds, at the usual speed of the metre times `speed`.

    Raises LessonError for a speed that is not above 0 and for more than five minutes of sound.
    """
    if not speed > 0:
        raise LessonError(f"The speed is a number above 0, 1 for the usual one; {speed} is not.")
    whole = seconds_of_a_whole(tune) / speed
    found = tuple(
        Timed(float(one.start) * whole, float(one.start + one.length) * whole, one.pitches, one.note)
        for one in tune.sounded(repeats)
    )
    if found[-1].end > LONGEST:
        raise LessonError(
            f"This tune would sound for {found[-1].end:.0f} seconds; play it faster, or without repeats."
        )
    return found


def seconds_of_a_whole(tune: Tune) -> float:
    """How long a whole note lasts at the usual speed of the tune's metre."""
    name = tune.fields.get("M", "")
    return WHOLE["compound"] if name.endswith("/8") else WHOLE.get(name, 2.1)


@explained
def samples(tune: Tune, repeats: bool = True, speed: float | int = 1.0) -> Float[np.ndarray, " samples"]:
    """The sound as numbers from -1 to 1, RATE a second."""
    played = times(tune, repeats, speed)
    sound = np.zeros(int((played[-1].end + RELEASE) * RATE) + 1, np.float32)
    for one in played:
        for pitch in one.pitches:
            tone = _tone(pitch, round(one.end - one.start, 4))
            start = int(one.start * RATE)
            sound[start : start + len(tone)] += tone[: len(sound) - start]
    return (LOUDEST / max(float(np.abs(sound).max()), 1e-9)) * sound


@explained
def wav(tune: Tune, repeats: bool = True, speed: float | int = 1.0) -> bytes:
    """The sound as the bytes of a WAV file, 16 bits, one channel."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((samples(tune, repeats, speed) * 32767).astype("<i2").tobytes())
    return buffer.getvalue()


@explained
def midi(tune: Tune, repeats: bool = True) -> bytes:
    """The tune as a MIDI file of one track, for other programs.

    Source: Standard MIDI Files 1.0: a header chunk, a track chunk, times as variable-length quantities.
    """
    ticks = 480  # a quarter note
    quarter = round(seconds_of_a_whole(tune) / 4 * 1e6)
    track = b"\x00\xff\x51\x03" + quarter.to_bytes(3, "big") + b"\x00\xc0\x18"  # tempo; a guitar's strings
    now = 0
    for at, message in _messages(tune.sounded(repeats), ticks):
        track += _variable(at - now) + message
        now = at
    track += b"\x00\xff\x2f\x00"
    head = b"MThd" + (6).to_bytes(4, "big") + b"\x00\x00\x00\x01" + ticks.to_bytes(2, "big")
    return head + b"MTrk" + len(track).to_bytes(4, "big") + track


def _messages(played: Sequence[Sounded], ticks: int) -> list[tuple[int, bytes]]:
    """Note on and note off with their times in ticks; where both fall together, off comes first."""
    found = []
    for one in played:
        start, end = (round(4 * ticks * value) for value in (one.start, one.start + one.length))
        for pitch in one.pitches:
            found += [(start, bytes((0x90, pitch, 80))), (max(end, start + 1), bytes((0x80, pitch, 0)))]
    return sorted(found)


def _variable(value: int) -> bytes:
    """A whole number in bytes of seven bits, all but the last marked."""
    found = [value & 0x7F]
    while value := value >> 7:
        found.insert(0, value & 0x7F | 0x80)
    return bytes(found)


@lru_cache(maxsize=512)
def _tone(pitch: int, seconds: float) -> Float[np.ndarray, " samples"]:
    """One note of a plucked string: harmonics, a quick attack, a slow fall, and a release after its end."""
    time = np.arange(int((seconds + RELEASE) * RATE), dtype=np.float64) / RATE
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    waves = sum(
        weight * np.exp(-time * k / RING) * np.sin(2 * np.pi * k * frequency * time)
        for k, weight in enumerate(HARMONICS, 1)
        if k * frequency < RATE / 2
    )
    fade = np.minimum(1, time / ATTACK) * np.clip((seconds + RELEASE - time) / RELEASE, 0, 1)
    return (waves * fade).astype(np.float32)
