"""Ways to damage a file, as broken disks, cut downloads, slips and attackers do."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

import torch

NUMBERS = [b"0", b"-1", b"1e999", b"-1e999", b"NaN", b"9" * 30, b"1" * 5000, b"0.5", b"1e-320"]
VALUES: list[Any] = [None, True, -1, 0, 2**31, 2**63, 10**40, 1e308, float("nan"), "", "x", [], {}]
WORDS = [b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1b[31m", b"\xed\xa0\x80", b"\x1f\x8b\x08", b"\r"]
WORDS += [
    b"*** START OF THE PROJECT GUTENBERG",
    b"!!python/name:os.system",
    b"&a [*a]",
    b'"\\ud800"',
]
LONGEST = 20_000
"""Maximum bytes of an insertion."""


def spoil(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    """Damage a file in one to three ways.

    Args:
        data: a valid file.
        others: valid files of any kind, to splice with.
        draw: source of all random decisions.
    """
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        data = draw.choice(_DAMAGES)(data, others, draw)
    return data


def _cut(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    return data[: draw.randint(0, len(data))]


def _flip(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 8))):
        if changed:
            # headers decide how the rest is read
            position = draw.randrange(min(len(changed), draw.choice((16, 256, len(changed)))))
            changed[position] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _insert(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    position = draw.randint(0, len(data))
    return data[:position] + draw.choice(WORDS) * draw.choice((1, 1, 50)) + data[position:]


def _splice(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    other = draw.choice(others)
    return data[: draw.randint(0, len(data))] + other[draw.randint(0, len(other)) :]


def _swap(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    return draw.choice(others)


def _repeat(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    begin = draw.randint(0, len(data))
    piece = data[begin : begin + draw.randint(1, 200)]
    times = min(draw.choice((2, 10, 1000)), LONGEST // max(len(piece), 1))
    return data[:begin] + piece * times + data[begin:]


def _noise(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    return draw.randbytes(draw.choice((0, 1, 8, 100, 5000)))


def _nest(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    opening, closing = draw.choice(((b"[", b"]"), (b'{"a":', b"}"), (b"- ", b""), (b"(", b")")))
    depth = draw.choice((3, 200, 3000))
    nested = opening * depth + b"1" + closing * depth
    position = draw.randint(0, len(data))
    return draw.choice((nested, data[:position] + nested + data[position:]))


def _number(data: bytes, others: Sequence[bytes], draw: random.Random) -> bytes:
    matches = list(re.finditer(rb"-?[0-9.]+(?:e-?[0-9]+)?", data[:LONGEST]))
    if not matches:
        return data
    match = draw.choice(matches)
    return data[: match.start()] + draw.choice(NUMBERS) + data[match.end() :]


_DAMAGES: list[Callable[[bytes, Sequence[bytes], random.Random], bytes]] = [
    _cut,
    _flip,
    _flip,
    _insert,
    _splice,
    _swap,
    _repeat,
    _noise,
    _nest,
    _number,
]


def spoil_json(data: bytes, draw: random.Random) -> bytes:
    """Replace or remove one value of a JSON document."""
    content = json.loads(data)
    inside: Any = content
    while True:
        keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
        if not keys:
            return json.dumps(draw.choice(VALUES)).encode()
        key = draw.choice(keys)
        if isinstance(inside[key], (dict, list)) and inside[key] and draw.random() < 0.7:
            inside = inside[key]
            continue
        if draw.random() < 0.2:
            del inside[key]
        else:
            inside[key] = draw.choice([*VALUES, list(VALUES[:3]), {"a": 1}, inside[key]])
        return json.dumps(content).encode()


def spoil_tensors(tensors: dict[str, torch.Tensor], draw: random.Random) -> dict[str, torch.Tensor]:
    """Remove one of the tensors, or change its shape, type or values."""
    changed = dict(tensors)
    name = draw.choice(sorted(changed))
    tensor = changed[name].clone()
    if draw.random() < 0.4:
        forms = {
            "gone": {},
            "new": {name: tensor, f"{name}.x": tensor.clone()},
            "longer": {name: torch.cat([tensor.flatten()] * 2)},
            "empty": {name: tensor.flatten()[:0]},
            "single": {name: tensor.sum()},
            "wide": {name: tensor.double()},
            "whole": {name: tensor.long()},
            "true": {name: tensor.bool()},
        }
        del changed[name]
        return {**changed, **forms[draw.choice(sorted(forms))]}
    values: list[float] = [0, 1, -1, 2, 255, 2**31 - 1]
    if tensor.is_floating_point():
        values += [float("nan"), float("inf"), -float("inf"), 1e38]
    elif tensor.dtype == torch.int64:
        values += [2**62, -(2**63)]
    flat = tensor.reshape(-1)
    for _ in range(draw.choice((1, 3, len(flat)))):
        if len(flat):
            value = draw.choice(values)
            position = draw.randrange(len(flat))
            flat[position] = min(value, 255) % 256 if tensor.dtype == torch.uint8 else value
    return {**changed, name: flat.reshape(tensor.shape)}
