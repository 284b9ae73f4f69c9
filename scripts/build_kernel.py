"""Assembles the page's WebAssembly kernel from its source, and writes it as a JavaScript module.

    pip install wasmtime
    python scripts/build_kernel.py

The same source always gives the same bytes.
"""

from __future__ import annotations

import base64
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1] / "nextword" / "page" / "source" / "engine"
WAT, MODULE = SOURCE / "kernel.wat", SOURCE / "kernel_binary.js"


def module() -> str:
    """The JavaScript module with the assembled kernel."""
    from wasmtime import wat2wasm

    binary = base64.b64encode(wat2wasm(WAT.read_text(encoding="utf-8"))).decode("ascii")
    return (
        "// Assembled from kernel.wat by scripts/build_kernel.py.\n\n"
        f'export const KERNEL =\n  "{binary}";\n'
    )


if __name__ == "__main__":
    MODULE.write_text(module(), encoding="utf-8")
    print(f"wrote {MODULE}")
