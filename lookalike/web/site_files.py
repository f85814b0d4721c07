"""All files of the site, by their path: our own, the data, the texts, and the runtime where it is copied."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from string import Template
from types import MappingProxyType

from lookalike.files import atomic_write
from lookalike.finder import Lookalikes
from lookalike.web.data import PHOTOS, data_files
from lookalike.web.runtime import Runtime

SITE = Path(__file__).parent / "site"
TEXTS = Path(__file__).parents[1] / "space" / "texts"  # the words of the page that a server runs
SUFFIXES = {".html", ".css", ".js", ".svg", ".webmanifest"}
# `connect-src` and `img-src` are narrowed further by the page itself when everything is loaded.
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' {hosts}; worker-src 'self' blob:; "
    "style-src 'self'; connect-src 'self' {hosts}; img-src 'self' blob: data:; media-src blob:; "
    "manifest-src 'self'; base-uri 'none'; form-action 'none'"
)


def site_files(
    finder: Lookalikes, runtime: Runtime, photos: Mapping[int, bytes] = MappingProxyType({})
) -> dict[str, bytes]:
    """Return the content of each file by its path; `photos` are thumbnails of rows as WebP.

    `data_files` says what is raised.
    """
    own = {
        path.relative_to(SITE).as_posix(): path.read_bytes()
        for path in sorted(SITE.rglob("*"))
        if path.suffix in SUFFIXES
    }
    texts = _texts(b"".join(own.values()).decode())
    files = own | texts | data_files(finder, photos) | runtime.files
    site = {"languages": [Path(name).stem for name in texts], "runtime": runtime.addresses}
    files["site.json"] = json.dumps(site | {"version": _version(files)}).encode()
    return files | {
        "index.html": _filled(own["index.html"], POLICY=POLICY.format(hosts=" ".join(runtime.hosts))),
        "service-worker.js": _filled(
            own["service-worker.js"],
            VERSION=_version(files),
            FILES=json.dumps(["./", *runtime.modules, *(name for name in files if _is_kept(name))]),
        ),
    }


def write_site(folder: Path, files: dict[str, bytes]) -> None:
    """Write the files into a folder, and delete photos of an earlier gallery there. Raises OSError."""
    for name, content in files.items():
        with atomic_write(folder / name) as partial:
            partial.write_bytes(content)
    for photo in (folder / PHOTOS).glob("*.webp"):
        if photo.relative_to(folder).as_posix() not in files:
            photo.unlink()


def _texts(source: str) -> dict[str, bytes]:
    """Return a file a language with the texts that the site's own files name."""
    named = set(re.findall(r"\w+", source))
    files = {}
    for path in sorted(TEXTS.glob("*.json")):
        table = json.loads(path.read_text(encoding="utf-8"))
        kept = {key: text for key, text in table.items() if key in named or key.startswith("chip_field_")}
        files[f"texts/{path.name}"] = json.dumps(kept, ensure_ascii=False).encode()
    return files


def _is_kept(name: str) -> bool:
    """Return whether the service worker fetches the file; the page itself keeps the large ones."""
    return not name.startswith((f"{PHOTOS}/", "data/", "runtime/", "index.html", "service-worker.js"))


def _version(files: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        if name != "site.json":
            digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return f"lookalike-{digest.hexdigest()[:12]}"


def _filled(content: bytes, **values: str) -> bytes:
    return Template(content.decode()).substitute(values).encode()
