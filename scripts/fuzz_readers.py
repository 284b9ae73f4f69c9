"""All readers of files, each with valid files to start from."""

from __future__ import annotations

import gzip
import random
import shutil
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from fuzz_formats import format_seeds, read_format
from fuzz_mutations import spoil, spoil_json, spoil_tensors

from nextword.cli.info import describe_run, description_lines
from nextword.config.load import dump_config, load_config
from nextword.config.schema import (
    Config,
    Holdout,
    ModelConfig,
    TextConfig,
    TrainingConfig,
    VocabularyConfig,
)
from nextword.device import from_numpy, to_numpy
from nextword.inference.gating import GatingWeights
from nextword.inference.mixture import Mixture, combinations, num_gate_features
from nextword.inference.model_folder import load_model_folder, save_mixture, save_model
from nextword.inference.pytorch import TorchNetwork
from nextword.losses.softmax import ExactLoss
from nextword.model import Model
from nextword.models.registry import build_network
from nextword.models.vectors import read_vectors
from nextword.ngram.model import NgramModel
from nextword.storage.run_folder import RunFolder
from nextword.storage.run_record import RunRecord
from nextword.storage.tensors import read_tensors, write_tensors
from nextword.text.dataset import EncodedText
from nextword.text.division import Setting
from nextword.text.prepare import prepare_text
from nextword.text.readers import TextReader
from nextword.text.tokenized import learn_spacing
from nextword.text.tokenizer import Kind, Tokenizer
from nextword.training.checkpoint import read_state, save_state
from nextword.training.trainer import Trainer
from nextword.windows import StreamBatches

PROSE = (
    "The cat sat on the mat, didn't it?\n\nÉté 我爱你 👍🏽 “so”—1,000 שלום\n\nThe end of it.\n\n"
)
WORDS = ["<unk>", "<eos>", "the", "cat", "sat", "Été", "我", "."]
CHAT = "".join(f"[{n}:30] {'Ida' if n % 2 else 'Olaf'}: are you com\u00ading\n" for n in range(40))
INDENTED = "   The cat sat on the mat, didn't it? And then it went\naway from the mat.\n" * 30
OLD_BOOK = (
    "The Project Gutenberg Etext of Cats\n\nThe small print is at the end.\n\n"
    "The cat.\u2028Sat. <eos>\n\nEnd of The Project Gutenberg Etext of Cats\n\n"
    "***START**THE SMALL PRINT!\nlaw\n*END THE SMALL PRINT! Ver.04.29.93*END*\n"
)
SETTINGS: tuple[Setting, ...] = ("auto", "blank_lines", "lines", "indents")
ENCODINGS = ["utf-8"] * 6 + "latin-1 cp1252 utf-16 utf-32 utf-7 gb18030 shift_jis hz".split()
ENCODINGS += "iso2022_jp utf-8-sig unicode_escape raw_unicode_escape punycode idna cp037".split()


@dataclass(frozen=True)
class Reader:
    """A way of reading files, with valid files for it."""

    seeds: Sequence[bytes]
    read: Callable[[bytes, random.Random], object]
    """Writes bytes where the reader expects its file, and reads it; may raise NextwordError."""
    others: Sequence[Callable[[random.Random], bytes]] = field(default_factory=tuple)
    """More ways to make inputs, besides damaging bytes."""

    def input(self, all_seeds: Sequence[bytes], draw: random.Random) -> bytes:
        """The next input; ``all_seeds`` are valid files of all readers."""
        if self.others and draw.random() < 0.5:
            return draw.choice(self.others)(draw)
        return spoil(draw.choice(self.seeds), all_seeds, draw)


def all_readers(folder: Path) -> dict[str, Reader]:
    """All readers by name; their files are in ``folder``."""
    readers = {
        **_text_readers(folder),
        **_model_readers(folder),
        "state": _state_reader(folder),
        "cache": _cache_reader(folder),
        "vectors": _vectors_reader(folder),
        **_config_readers(folder),
    }
    draw = random.Random(0)
    for reader in readers.values():  # valid files must be read
        for seed in reader.seeds:
            reader.read(seed, draw)
    return readers


def _text_readers(folder: Path) -> dict[str, Reader]:
    def read(content: bytes, draw: random.Random) -> int:
        path = folder / "text.txt"
        path.write_bytes(content)
        encoding = draw.choice(ENCODINGS)
        kind: Kind = draw.choice(("words", "whitespace"))
        settings = TextConfig.model_construct(
            tokenizer=kind, encoding=encoding, paragraphs=draw.choice(SETTINGS)
        )
        reader = TextReader(settings)
        paragraphs = list(reader.read([path]))
        if any("\n" in paragraph for paragraph in paragraphs) or len(reader.notes) > 4:
            raise AssertionError("a line end in a paragraph, or too many notes")
        tokenizer = Tokenizer.learn(paragraphs, kind, False)
        return sum(len(ids) for ids in tokenizer.encode_stream(paragraphs))

    text = (PROSE * 3).encode()
    others = [form.encode() for form in (CHAT, INDENTED, OLD_BOOK, "one line " * 3000)]
    marked = b"\xef\xbb\xbf*** START OF THE PROJECT GUTENBERG EBOOK X ***\r\n" + text
    wide = PROSE.encode("utf-16")
    return {
        "text": _random_encoding_reader([text, marked, *others], read),
        "text, wide": _random_encoding_reader([wide], read),
        "formats": _random_encoding_reader(
            format_seeds(), lambda content, draw: read_format(folder / "any", content, draw)
        ),
        "text, gz": _random_encoding_reader([gzip.compress(text, mtime=0)], read),
    }


def _random_encoding_reader(
    seeds: Sequence[bytes], read: Callable[[bytes, random.Random], object]
) -> Reader:
    """A reader that skips its valid files, since ``read`` may draw a wrong encoding for them."""
    return Reader(seeds, lambda content, draw: None if content in seeds else read(content, draw))


def _model_readers(folder: Path) -> dict[str, Reader]:
    model = folder / "model"
    _save_tiny_model(model)
    names = ["config.json", "tokenizer.json", "spacing.json", "mixture.json"]
    names += ["model.safetensors", "ngram.safetensors"]
    return {name: _model_reader(model, name) for name in names}


def _save_tiny_model(folder: Path) -> None:
    torch.manual_seed(1)
    config = ModelConfig(embedding_size=4, hidden_size=4)
    network = build_network(config, len(WORDS)).eval()
    counts = np.arange(len(WORDS), 0, -1)
    tokenizer = Tokenizer(WORDS, "words", lowercase=False)
    tokenizer = tokenizer.with_words(WORDS, learn_spacing(tokenizer, ["the cat sat. The dog ran."]))
    ids = np.array([2, 3, 4, 7, 1, 2, 5, 6, 7, 1] * 5)
    ngram = NgramModel.fit(ids, len(WORDS), order=3)
    weights = {}
    for names in combinations(True):
        parts = len(names.split("+"))
        weights[names] = GatingWeights.constant(
            [1 / parts] * parts, num_gate_features(names, ngram.order)
        )
    loaded = TorchNetwork(network, tokenizer, config.model_dump(mode="json"), counts)
    save_model(folder, loaded, "# A card\n")
    save_mixture(folder, Mixture(ngram, weights=weights))


def _model_reader(folder: Path, name: str) -> Reader:
    path = folder / name
    sound = path.read_bytes()

    def read(content: bytes, draw: random.Random) -> None:
        path.write_bytes(content)
        try:
            model = Model(load_model_folder(folder))
            session = model.session(draw.choice(("none", "both")))
            session.read("the cat sat zebra")
            session.predict(3)
            model.generate("the cat", words=3, seed=1)
        finally:
            path.write_bytes(sound)

    if name.endswith(".json"):
        return Reader([sound], read, [lambda draw: spoil_json(sound, draw)])
    return Reader([sound], read, [_with_valid_checksum(folder.parent / "sealed", path)])


def _with_valid_checksum(scratch: Path, path: Path) -> Callable[[random.Random], bytes]:
    """Makes files of damaged tensors with a valid checksum, to reach the checks after that one."""
    arrays, metadata = read_tensors(path)
    tensors = from_numpy(arrays)

    def make(draw: random.Random) -> bytes:
        write_tensors(scratch, to_numpy(spoil_tensors(tensors, draw)), metadata)
        return scratch.read_bytes()

    return make


def _state_reader(folder: Path) -> Reader:
    config = TrainingConfig(epochs=1, precision="float32")
    network = build_network(ModelConfig(embedding_size=4, hidden_size=4), 8)
    batches = StreamBatches(np.array([2, 3, 4, 5, 6, 7] * 20), 2, 5)
    trainer = Trainer(
        network, ExactLoss(), batches, config, torch.device("cpu"), validate=lambda: 1.0
    )
    path = folder / "state.safetensors"
    save_state(path, trainer)
    sound = path.read_bytes()

    def read(content: bytes, draw: random.Random) -> None:
        path.write_bytes(content)
        with torch.random.fork_rng():
            read_state(path).restore(trainer)

    return Reader([sound], read, [_with_valid_checksum(folder / "sealed", path)])


def _cache_reader(folder: Path) -> Reader:
    source = folder / "cached.txt"
    source.write_text(PROSE * 4, encoding="utf-8")
    config = TextConfig(path=str(source), holdout=Holdout(valid=0.2, test=0))
    vocabulary, cache = VocabularyConfig(min_count=1), folder / "cache"
    first = prepare_text(config, vocabulary, cache)
    expected = _contents(first)
    kept = folder / "kept"
    shutil.copytree(first.folder, kept)
    names = sorted(file.name for file in kept.iterdir())

    def read(content: bytes, draw: random.Random) -> None:
        (first.folder / draw.choice(names)).write_bytes(content)
        if _contents(prepare_text(config, vocabulary, cache)) != expected:
            raise AssertionError("the cache gave another text")
        for name in names:
            shutil.copyfile(kept / name, first.folder / name)

    return Reader([(kept / name).read_bytes() for name in names], read)


def _contents(text: EncodedText) -> list[object]:
    """Everything that a cache stores of a text."""
    parts = [
        (name, part.ids.tolist(), part.characters, part.unknown, part.words)
        for name, part in sorted(text.parts.items())
    ]
    return [
        *parts,
        text.tokenizer.words,
        text.vocabulary.counts.tolist(),
        text.held_out,
        text.notes,
    ]


def _vectors_reader(folder: Path) -> Reader:
    rows = {word: [0.5, -1.25, len(word)] for word in ("the", "cat", "Été")}
    text = "".join(f"{word} {' '.join(map(str, row))}\n" for word, row in rows.items()).encode()
    packed = b"".join(w.encode() + b" " + struct.pack("<3f", *r) + b"\n" for w, r in rows.items())
    seeds = [text, b"3 3\n" + text, b"3 3\n" + packed, gzip.compress(text, mtime=0)]

    def read(content: bytes, draw: random.Random) -> None:
        path = folder / "vectors"
        path.write_bytes(content)
        vectors = read_vectors(path, ["the", "Été", "zebra", "a"])
        if not np.isfinite(vectors.matrix).all():
            raise AssertionError("a vector is not finite")

    return Reader(seeds, read)


def _config_readers(folder: Path) -> dict[str, Reader]:
    run = RunFolder(folder / "run")
    run.path.mkdir()
    seed = dump_config(Config()).encode()
    short = (
        b"model: {kind: lstm, layers: 2}\ntext: &t {path: [a.txt, b.txt]}\n"
        b"mixture: {<<: {cache: true}}\n"
    )
    metrics = b'{"kind": "valid", "step": 3, "perplexity": 9.5}\n{"kind": "result", "steps": 3}\n'
    run.config.write_bytes(seed)
    run.write_record(
        RunRecord.of_this_machine(torch="2", threads=1, text_sha256="0" * 64, vocabulary_size=9)
    )

    def read_config(content: bytes, draw: random.Random) -> None:
        path = folder / "config.yaml"
        path.write_bytes(content)
        load_config(path, environ={})

    def read_run(content: bytes, draw: random.Random) -> None:
        run.metrics.write_bytes(content)
        described = describe_run(run)
        description_lines(described)
        description_lines({"runs": [described]})

    return {"config.yaml": Reader([seed, short], read_config), "run": Reader([metrics], read_run)}
