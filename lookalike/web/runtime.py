"""onnxruntime-web, which runs the networks in the browser: a pinned version with its integrity hashes.

It is loaded from a content network, or copied beside the page from the unpacked npm package. Of its builds
this is the one for WebAssembly alone: the one with WebGPU is twice as large, more than the page may weigh.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lookalike.errors import MissingFileError

VERSION = "1.22.0"  # its WebAssembly is 0.8 MB smaller, compressed, than that of 1.30, and no slower
NETWORK = f"https://cdn.jsdelivr.net/npm/onnxruntime-web@{VERSION}/dist"
MODULE, GLUE, WASM = "ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"
INTEGRITY = {  # of the files in the npm package
    MODULE: "sha384-gnybD0DbcdbgochNJEKfs1JeM+0iPWzSESNavtMDLT/E34RAPtXngFE4AVdlcScw",
    GLUE: "sha384-LXMGGJ76ujT3yGw+OWQZVB6vBmJ7lqTO957Fh6ov3385aw3EncleBNFfYFAl3vXW",
    WASM: "sha384-Eu/XUdOA62yl+TueG792KtrQlAGAMW3g10sY4G3LBYyYZUtM126Z4Gr3ljTlXUGG",
}


@dataclass(frozen=True)
class Runtime:
    """Where the page finds the runtime: the addresses, relative to the page or whole, of its two modules and
    of its WebAssembly, and the latter's integrity hash.

    `files` are written beside the page; there the WebAssembly is compressed by gzip.
    """

    module: str
    glue: str
    wasm: str
    integrity: str
    files: dict[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def modules(self) -> tuple[str, str]:
        """The modules' addresses."""
        return self.module, self.glue

    @property
    def hosts(self) -> tuple[str, ...]:
        """The addresses on other servers, which the page's policy must allow."""
        return () if self.files else (self.module, self.glue, self.wasm)

    @property
    def addresses(self) -> dict[str, Any]:
        """What the page reads in `site.json`."""
        hashes = {"module": INTEGRITY[MODULE], "glue": INTEGRITY[GLUE], "wasm": self.integrity}
        addresses = {"module": self.module, "glue": self.glue, "wasm": self.wasm}
        return {**addresses, "integrity": hashes, "compressed": bool(self.files)}


def network_runtime() -> Runtime:
    """Return the runtime on a content network."""
    return Runtime(f"{NETWORK}/{MODULE}", f"{NETWORK}/{GLUE}", f"{NETWORK}/{WASM}", INTEGRITY[WASM])


def copied_runtime(folder: Path) -> Runtime:
    """Return the runtime copied beside the page from a folder with the files of the npm package.

    Raises MissingFileError unless these are the pinned version's.
    """
    contents = {name: _read(folder, name) for name in INTEGRITY}
    module, glue, wasm = f"runtime/{MODULE}", f"runtime/{GLUE}", "runtime/ort.wasm.bin"
    packed = gzip.compress(contents[WASM], mtime=0)
    files = {module: contents[MODULE], glue: contents[GLUE], wasm: packed}
    return Runtime(module, glue, wasm, integrity(packed), files)


def integrity(content: bytes) -> str:
    """Return the integrity hash of a file, as HTML and `fetch` take it."""
    return f"sha384-{base64.b64encode(hashlib.sha384(content).digest()).decode()}"


def _read(folder: Path, name: str) -> bytes:
    places = (folder / name, folder / "dist" / name, folder / "package" / "dist" / name)
    path = next((path for path in places if path.is_file()), None)
    content = path.read_bytes() if path else b""
    if integrity(content) != INTEGRITY[name]:
        raise MissingFileError(
            f"{folder} has no {name} of onnxruntime-web {VERSION}; unpack what "
            f"`npm pack onnxruntime-web@{VERSION}` downloads, and give its folder."
        )
    return content
