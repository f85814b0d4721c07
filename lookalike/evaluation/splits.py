"""Assign photos to training, validation, cohort and test: one committed file, by person across all sources.

People are compared by `lookalike.names.person_key`, so that one person under two spellings stays on one side.
Photos of people who train are held out too, for tests of "known people, new photos". Photos without a name,
of sources that show most people once, are drawn by a hash of their file name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from lookalike.errors import MissingFileError, SourceError
from lookalike.files import BUNDLED, write_text
from lookalike.names import person_key

Side = Literal["train", "validation", "cohort", "test", "test-photo", "left-out"]

BUNDLED_SPLIT = BUNDLED / "split.json"


@dataclass(frozen=True)
class Split:
    """The held-out people, and the single photos that no training uses.

    `validation` and `test` are names of people. `aliases` maps a person key to the key of the same person
    under another name. `test_photos` are photos of people who train, kept for tests; `left_out` are photos on
    no side: those without a trusted name that resemble a held-out person, and held-out ones that resemble
    somebody who trains. Both hold strings made by `photo_key`. `drawn` maps a source of unnamed photos to the
    shares, 0..1, of its photos on each held-out side; the rest trains. `same_files` maps a source to the one
    that has the same photos under the same file names.
    """

    validation: tuple[str, ...]
    test: tuple[str, ...]
    test_photos: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    drawn: tuple[tuple[str, tuple[tuple[Side, float], ...]], ...] = ()
    same_files: tuple[tuple[str, str], ...] = ()

    def person(self, name: str) -> str:
        """Return the key of the person called `name`, with aliases resolved."""
        key = person_key(name)
        return dict(self.aliases).get(key, key)

    def is_for_test(self, name: str) -> bool:
        """Return whether no photo of this person was trained on or used to choose a setting."""
        return self.person(name) in self._test

    def side(self, source: str, name: str, file: str) -> Side:
        """Return the side of one photo."""
        original = dict(self.same_files).get(source, source)
        photos = {photo_key(source, name, file), photo_key(original, name, file)}
        if photos & self._left_out:
            return "left-out"
        if not name:
            return self._drawn_side(source, file)
        if self.is_for_test(name):
            return "test"
        if self.person(name) in self._validation:
            return "validation"
        return "test-photo" if photos & self._test_photos else "train"

    def _drawn_side(self, source: str, file: str) -> Side:
        """Return the side of a photo without a name: a hash of its file is a number 0..1."""
        digest = hashlib.sha256(f"{source}/{file}".encode()).digest()
        number = int.from_bytes(digest[:8], "big") / 2**64
        for side, share in dict(self.drawn).get(source, ()):
            if number < share:
                return side
            number -= share
        return "train"

    @cached_property
    def _test(self) -> frozenset[str]:
        return frozenset(map(self.person, self.test))

    @cached_property
    def _validation(self) -> frozenset[str]:
        return frozenset(map(self.person, self.validation))

    @cached_property
    def _test_photos(self) -> frozenset[str]:
        return frozenset(self.test_photos)

    @cached_property
    def _left_out(self) -> frozenset[str]:
        return frozenset(self.left_out)


def load_split(path: Path = BUNDLED_SPLIT) -> Split:
    """Read a split that `save_split` wrote. The default is the split of the bundled model.

    Raises MissingFileError where it is not there, SourceError where it is no split.
    """
    try:
        return _split_of(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise MissingFileError(f"There is no split of people at {path}, or it cannot be read.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(f"{path} is not a split of people; write it again.") from error


def _split_of(fields: Mapping[str, Any]) -> Split:
    return Split(
        validation=tuple(fields["validation"]),
        test=tuple(fields["test"]),
        test_photos=tuple(fields["test_photos"]),
        left_out=tuple(fields["left_out"]),
        aliases=tuple(sorted(fields["aliases"].items())),
        drawn=tuple((source, tuple(shares.items())) for source, shares in fields.get("drawn", {}).items()),
        same_files=tuple(sorted(fields.get("same_files", {}).items())),
    )


def save_split(split: Split, path: Path) -> None:
    """Write the split as JSON with one entry per line."""
    fields = {
        "aliases": dict(split.aliases),
        "drawn": {source: dict(shares) for source, shares in split.drawn},
        "same_files": dict(split.same_files),
        "validation": sorted(split.validation),
        "test": sorted(split.test),
        "left_out": sorted(split.left_out),
        "test_photos": sorted(split.test_photos),
    }
    write_text(path, json.dumps(fields, ensure_ascii=False, indent=0) + "\n")


def draw_split(names: Iterable[str], *, seed: int = 0) -> Split:
    """Assign a random tenth of the people to validation and a tenth to test, at least one each.

    Raises SourceError for fewer than three people.
    """
    people = sorted({person_key(name) for name in names if name})
    if len(people) < 3:
        raise SourceError("A split needs at least three people, one each for training, validation and test.")
    tenth = max(1, len(people) // 10)
    drawn = [people[place] for place in np.random.default_rng(seed).permutation(len(people))]
    return Split(validation=tuple(drawn[:tenth]), test=tuple(drawn[tenth : 2 * tenth]))


def photo_key(source: str, name: str, file: str) -> str:
    """Return a string that identifies a photo of a source dataset."""
    return f"{source}/{name}/{file}"
