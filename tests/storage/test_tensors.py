"""Tensor files are whole, repeatable to the byte, and one clear error where they are damaged."""

import json
import mmap
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save

from nextword.errors import ModelError, NextwordError
from nextword.storage.tensors import read_tensors, write_tensors


def test_tensors_come_back_bit_for_bit_with_the_text_metadata_them(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    whole = np.random.default_rng(1).normal(size=(4, 6)).astype(np.float32)
    tensors = {
        "transposed": whole.T,
        "part": whole[1:3, 2:],
        "counts": np.arange(3),
        "empty": np.empty((2, 0)),
        "scalar": np.array(2.5),
        "true": np.ones(3, dtype=np.bool_),
    }
    write_tensors(path, tensors, {"progress": {"step": 3}})
    read, metadata = read_tensors(path)
    assert read.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert read[name].shape == tensor.shape and read[name].dtype == tensor.dtype, name
        assert (read[name] == tensor).all(), name
        assert not read[name].flags.writeable
    assert metadata == {"progress": {"step": 3}}


def test_damaged_tensors_are_one_line_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    good = save({"a": np.zeros(100)})
    nested = b'{"a":' + b"[" * 50_000
    nested = len(nested).to_bytes(8, "little") + nested
    spoilt = (b"", good[:5], good[:-1], good + b"x", good[:20], b"\xff" * 8 + good[8:], nested)
    for content in (*spoilt, b"PK\x03\x04 a zip"):
        path.write_bytes(content)
        refused(path, "is damaged or not a safetensors file")
    path.unlink()
    refused(path, "cannot be read")
    path.mkdir()
    refused(path, "not a regular file")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        refused(tmp_path / "pipe", "not a regular file")


def refused(path: Path, reason: str) -> None:
    """Reading is one line that names the file, whether it is verified or not."""
    for verify in (True, False):
        with pytest.raises(ModelError, match=re.escape(reason)) as caught:
            read_tensors(path, ModelError, verify)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)


def test_arrays_are_views_of_one_map_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"a": np.arange(5), "b": np.ones((2, 3), np.float32)}, {})
    for verify in (True, False):
        arrays, _ = read_tensors(path, verify=verify)
        bases = {id(array.base) for array in arrays.values()}
        assert len(bases) == 1
        if os.name != "nt":
            assert all(isinstance(array.base, mmap.mmap) for array in arrays.values())
        write_tensors(path, {"a": np.zeros(5)}, {})  # replaced, which leaves the map as it is
        assert arrays["a"].tolist() == [0, 1, 2, 3, 4] and arrays["b"].sum() == 6
        write_tensors(path, {"a": np.arange(5), "b": np.ones((2, 3), np.float32)}, {})


def test_unverified_reading_leaves_the_bytes_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"a": np.array([1.0, np.nan])}, {"step": 1})
    with pytest.raises(ModelError, match="a has numbers that are not finite"):
        read_tensors(path, ModelError)
    arrays, metadata = read_tensors(path, ModelError, verify=False)
    assert np.isnan(arrays["a"][1]) and metadata == {"step": 1}
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ModelError, match="does not match its checksum"):
        read_tensors(path, ModelError)
    read_tensors(path, ModelError, verify=False)


def file_of(header: object, data: int) -> bytes:
    """A tensor file with some header and a number of bytes of data."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + b"\0" * data


A = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


@pytest.mark.parametrize(
    "content",
    [
        file_of({"a": A, "b": A}, 8),  # overlap
        file_of({"a": A, "b": {**A, "data_offsets": [4, 12]}}, 12),
        file_of({"a": A, "b": {**A, "data_offsets": [9, 17]}}, 17),  # a gap
        file_of({"a": {**A, "data_offsets": [8, 0]}}, 8),
        file_of({"a": {**A, "data_offsets": [-8, 0]}}, 8),
        file_of({"a": {**A, "data_offsets": [0, 8, 8]}}, 8),
        file_of({"a": {**A, "data_offsets": [0.0, 8.0]}}, 8),
        file_of({"a": {**A, "shape": [3]}}, 8),
        file_of({"a": {**A, "shape": [-1, -2]}}, 8),
        file_of({"a": {**A, "shape": [True, 2]}}, 8),
        file_of({"a": {**A, "shape": 2}}, 8),
        file_of({"a": {**A, "shape": [0, 2**70], "data_offsets": [0, 0]}}, 0),
        file_of({"a": {**A, "shape": [0, 2**62, 2**62], "data_offsets": [0, 0]}}, 0),
        file_of({"a": {**A, "shape": [1] * 33 + [2]}}, 8),
        file_of({"a": {**A, "dtype": "F8_E4M3"}}, 8),
        file_of({"a": {**A, "dtype": ["F32"]}}, 8),
        file_of({"a": {**A, "more": 1}}, 8),
        file_of({"a": {"dtype": "F32"}}, 8),
        file_of({"a": None}, 8),
        file_of({"a": A, "__metadata__": {"nextword": 1}}, 8),
        file_of({"a": A, "__metadata__": "nextword"}, 8),
        file_of([A], 8),
        file_of(b" " + json.dumps({"a": A}).encode(), 8),
        file_of(json.dumps({"a": A}).encode("utf-16"), 8),
        file_of(json.dumps({"a": A})[:-1].encode() + b', "a": null}', 8),
        file_of({}, 1),
    ],
)
def test_headers_that_make_no_sense_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    refused(path, "is damaged or not a safetensors file")


def test_a_header_of_gigabytes_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    with path.open("wb") as file:
        file.write((1 << 33).to_bytes(8, "little") + b"{")
        file.truncate((1 << 33) + 8)  # takes no space on the disk
    refused(path, "its header has an impossible length")


@given(st.data())
def test_nothing_is_read_that_the_library_refuses(data: st.DataObject) -> None:
    header = {"b": A, "a": {"dtype": "I16", "shape": [2, 1], "data_offsets": [8, 12]}}
    content = bytearray(file_of(header, 12))
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 2))] = data.draw(
            st.sampled_from([b"", b"0", b"1", b"8", b"9", b",", b'"', b"[", b"-", b"I", b"\xff"])
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.safetensors"
        path.write_bytes(content)
        try:
            arrays, _ = read_tensors(path, verify=False)
        except NextwordError as error:
            assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
            return
        by_library = load_file(path)
    assert arrays.keys() == by_library.keys()
    for name, array in arrays.items():
        expected = by_library[name]
        assert (array.dtype, array.shape) == (expected.dtype, expected.shape)
        assert array.tobytes() == expected.tobytes()


def test_the_same_tensors_are_always_the_same_bytes(tmp_path: Path) -> None:
    tensors = {"wide": np.arange(3), "narrow": np.ones(2, dtype=np.bool_)}
    metadata = {name: name for name in ("one", "two", "three", "four")}
    write_tensors(tmp_path / "a", tensors, metadata)
    write_tensors(tmp_path / "b", dict(reversed(tensors.items())), dict(reversed(metadata.items())))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    # the library reads them as it would its own
    assert load_file(tmp_path / "a")["wide"].tolist() == [0, 1, 2]


def test_no_bit_of_a_tensor_file_can_flip_unnoticed(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"a": np.arange(4.0), "b": np.arange(2)}, {"step": "17"})
    good = path.read_bytes()
    for place in range(len(good)):
        for bit in (1, 4, 64):
            path.write_bytes(good[:place] + bytes([good[place] ^ bit]) + good[place + 1 :])
            try:
                tensors, metadata = read_tensors(path, ModelError)
            except ModelError as error:
                assert str(error).startswith(f"{path}: ") and "\n" not in str(error)
            else:  # the header's padding says nothing
                assert metadata == {"step": "17"} and tensors["a"].tolist() == [0, 1, 2, 3]
                assert tensors["b"].tolist() == [0, 1] and good[place : place + 1] == b" "


def test_a_file_that_was_swapped_or_has_no_checksum_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(save({"a": np.zeros(3)}, metadata={"step": "1"}))
    with pytest.raises(ModelError, match="has no checksum; .* train again"):
        read_tensors(path, ModelError)
    written = '{"crc32":"00000000","step":"1"}'
    path.write_bytes(save({"a": np.zeros(3)}, metadata={"nextword": written}))
    with pytest.raises(ModelError, match="does not match its checksum"):
        read_tensors(path, ModelError)


@pytest.mark.parametrize("metadata", ["[1]", "{", "null"])
def test_metadata_that_is_no_object_is_refused(tmp_path: Path, metadata: str) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(save({"a": np.zeros(3)}, metadata={"nextword": metadata}))
    with pytest.raises(ModelError, match="is damaged or not a safetensors file"):
        read_tensors(path, ModelError)


def test_numbers_that_numpy_lacks_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    header = b'{"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}'
    path.write_bytes(len(header).to_bytes(8, "little") + header + b"\0\0")
    with pytest.raises(ModelError, match="a.safetensors: "):
        read_tensors(path, ModelError)


def test_storage_needs_no_torch() -> None:
    code = (
        "import sys, nextword.storage.lock, nextword.storage.run_folder, nextword.storage.tensors; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_reading_needs_no_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    write_tensors(path, {"a": np.arange(3)}, {})
    code = (
        "import sys, pathlib; from nextword.storage.tensors import read_tensors\n"
        "arrays, _ = read_tensors(pathlib.Path(sys.argv[1]))\n"
        "sys.exit(len(arrays) != 1 or bool({'safetensors', 'torch', 'pydantic'} & {*sys.modules}))"
    )
    assert subprocess.run([sys.executable, "-c", code, path], check=False).returncode == 0
