"""The matrix memory over all steps at once, beside one outer product after the other, across chunks."""

import pytest
import torch

from lessons import matrix_scan
from lessons.matrix_scan import read, read_all, with_one
from lessons.scan import NEVER

DOUBLE = {"device": "cpu", "dtype": torch.float64}


def drawn(steps, seed=0):
    dice = torch.Generator(device="cpu").manual_seed(seed)
    query, key = torch.randn(2, steps, 2, 3, 4, generator=dice, dtype=torch.float64)
    value = torch.randn(steps, 2, 3, 5, generator=dice, dtype=torch.float64)
    log_f, log_i = torch.randn(2, steps, 2, 3, generator=dice, dtype=torch.float64)
    memory = torch.randn(2, 3, 4, 5, generator=dice, dtype=torch.float64)
    return query, key, value, -log_f.abs(), 3 * log_i, memory


def by_hand(query, key, value, log_f, log_i, memory):
    rows = []
    for q, k, v, f, i in zip(query, key, value, log_f.exp(), log_i.exp(), strict=True):
        memory = f[..., None, None] * memory + i[..., None, None] * k[..., None] * v[..., None, :]
        rows.append(read(q, memory))
    return torch.stack(rows), memory


@pytest.mark.parametrize("chunk", [1, 5, 64])
def test_chunks_give_what_the_steps_give(monkeypatch, chunk):
    monkeypatch.setattr(matrix_scan, "CHUNK", chunk)
    parts = drawn(23)
    found, memory, m = read_all(*parts, torch.zeros(2, 3, **DOUBLE))
    rows, last = by_hand(*parts)
    torch.testing.assert_close(found.numerators * found.m.exp()[..., None], rows)
    torch.testing.assert_close(memory * m.exp()[..., None, None], last)


def test_the_scale_is_the_largest_share_so_far():
    query, key, value, log_f, log_i, memory = drawn(9)
    found, *_ = read_all(query, key, value, log_f, log_i, memory, torch.full((2, 3), NEVER, **DOUBLE))
    level = torch.full((2, 3), NEVER, **DOUBLE)
    for t in range(9):
        level = torch.maximum(log_f[t] + level, log_i[t])
        torch.testing.assert_close(found.m[t], level)


def test_gates_of_a_thousand_do_not_overflow():
    query, key, value, log_f, log_i, memory = (part.float() for part in drawn(70))
    found, memory, _ = read_all(query, key, value, log_f, 300 * log_i, memory, torch.zeros(2, 3))
    assert torch.isfinite(found.numerators).all() and torch.isfinite(memory).all()


def test_a_one_behind_the_values_counts():
    assert with_one(torch.zeros(2, 3)).tolist() == [[0, 0, 0, 1]] * 2
