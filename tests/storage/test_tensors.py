"""Tensor files are whole, repeatable to the byte, and one clear error where they are damaged."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save

from nextword.errors import ModelError
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
        assert read[name].flags.writeable  # PyTorch wants to share it
    assert metadata == {"progress": {"step": 3}}


def test_damaged_tensors_are_one_line_that_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    good = save({"a": np.zeros(100)})
    for content in (b"", good[:-1], good[:20], b"\xff" * 8 + good[8:], b"PK\x03\x04 a zip"):
        path.write_bytes(content)
        with pytest.raises(ModelError) as caught:
            read_tensors(path, ModelError)
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)
    path.unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        read_tensors(path, ModelError)


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
