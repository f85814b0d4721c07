"""Portraits on disk, so that a restart asks nothing again.

Each name has a JSON file, and a WebP beside it if it has a portrait. Names without one are kept too.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path

from lookalike.files import atomic_write, write_text
from lookalike.names import person_key
from lookalike.portraits.portrait import Outcome, Person, Portrait, Verdict

MAX_AGE = 30 * 24 * 3600.0  # seconds; then Wikimedia is asked again
FORMAT = 1  # of the JSON; raise it when older files do not count any more


class PortraitCache:
    """The results in one folder. Safe to use from several threads and processes.

    A file that is damaged or cannot be read counts as missing. `clock` gives seconds since 1970.
    """

    def __init__(
        self, folder: Path, *, max_age: float = MAX_AGE, clock: Callable[[], float] = time.time
    ) -> None:
        self.folder, self._max_age, self._clock = folder, max_age, clock

    def get(self, person: Person) -> Outcome | None:
        """Return the result for this version of a person, None if there is none or it is too old."""
        path = self._path(person.name)
        try:
            entry = json.loads(path.read_text(encoding="utf-8"))
            age = self._clock() - entry["at"]
            if (
                entry["format"] != FORMAT
                or entry["version"] != person.version
                or not 0 <= age < self._max_age
            ):
                return None
            portrait = self._portrait(person.name, path, entry["portrait"])
            return Outcome(person.name, Verdict(entry["verdict"]), str(entry["reason"]), portrait)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def put(self, person: Person, outcome: Outcome) -> None:
        """Keep a result, unless another try soon may give another one. Raises OSError."""
        if not outcome.lasting:
            return
        path, portrait = self._path(person.name), outcome.portrait
        fields = None
        if portrait is not None:
            with atomic_write(path.with_suffix(".webp")) as partial:
                partial.write_bytes(portrait.image)
            fields = asdict(portrait) | {"image": hashlib.sha256(portrait.image).hexdigest()}
        entry = {
            "format": FORMAT,
            "name": person.name,
            "version": person.version,
            "at": self._clock(),
            "verdict": outcome.verdict,
            "reason": outcome.reason,
            "portrait": fields,
        }
        write_text(path, json.dumps(entry, indent=1))

    def remove(self, name: str) -> None:
        """Delete what is kept for a name. Raises OSError."""
        self._delete(self._path(name))

    def keep_only(self, names: Iterable[str]) -> int:
        """Delete what is kept for all other names; return how many there were. Raises OSError."""
        kept = {self._path(name).stem for name in names}
        gone = [path for path in self.folder.glob("*.json") if path.stem not in kept]
        for path in gone:
            self._delete(path)
        return len(gone)

    def _portrait(self, name: str, path: Path, fields: dict[str, str] | None) -> Portrait | None:
        if fields is None:
            return None
        image = path.with_suffix(".webp").read_bytes()
        if hashlib.sha256(image).hexdigest() != fields["image"]:
            raise ValueError("the picture belongs to another result")
        texts = {key: str(fields[key]) for key in ("credit", "licence", "licence_url", "source")}
        return Portrait(name=name, image=image, **texts)

    def _path(self, name: str) -> Path:
        return self.folder / f"{_hash(person_key(name) or name)[:32]}.json"

    def _delete(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        path.with_suffix(".webp").unlink(missing_ok=True)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
