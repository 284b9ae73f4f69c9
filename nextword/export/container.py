"""One compressed file of named arrays and a JSON header.

Inflated, it is the header's length in bytes (four bytes), the header as UTF-8, padded with spaces,
and the sections one after the other, padded with zeros: everything begins at a multiple of eight
bytes and is little-endian. The header lists the sections in order. It is compressed by gzip, which
browsers inflate themselves and whose checksum finds damage.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMAT, FORMAT_VERSION = "nextword-page-model", 1
ALIGNMENT = 8
TYPES = {"int8": np.int8, "uint8": np.uint8, "float32": np.float32}
"""Names of the numbers that sections may hold."""
_GZIP = 16 + zlib.MAX_WBITS


def write_container(header: Mapping[str, Any], sections: Mapping[str, NDArray[Any]]) -> bytes:
    """The compressed bytes.

    Args:
        header: for JSON; the format and the list of sections are added.
        sections: by name, of the types in :data:`TYPES`; stored flat.
    """
    listed = [
        {"name": name, "type": array.dtype.name, "length": array.size}
        for name, array in sections.items()
    ]
    described = {"format": FORMAT, "format_version": FORMAT_VERSION, **header, "sections": listed}
    text = json.dumps(described, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-(4 + len(text)) % ALIGNMENT)
    compressor = zlib.compressobj(9, wbits=_GZIP)
    pieces = [compressor.compress(len(text).to_bytes(4, "little") + text)]
    for array in sections.values():
        if array.dtype.name not in TYPES:
            raise ValueError(f"a section cannot hold {array.dtype.name}")
        content = array.astype(array.dtype.newbyteorder("<")).tobytes()
        pieces.append(compressor.compress(content + bytes(-len(content) % ALIGNMENT)))
        # sections have little in common: each is coded for itself
        pieces.append(compressor.flush(zlib.Z_SYNC_FLUSH))
    return b"".join([*pieces, compressor.flush()])


def compressed_size(sections: Mapping[str, NDArray[Any]]) -> int:
    """How many bytes, at most, sections add to a container that lists their names already."""
    return sum(len(zlib.compress(array.tobytes(), 9)) for array in sections.values())
