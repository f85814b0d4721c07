"""Who trains and who judges: one committed file, by person across all sources.

People are compared by a key that ignores case, accents, spaces and punctuation, so that one person under
two spellings stays on one side. Photos of people who train are held out too, for tests of "known people,
new photos".
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from lookalike.errors import SourceError
from lookalike.names import person_key

Side = Literal["train", "validation", "test", "test-photo", "left-out"]

BUNDLED_SPLIT = Path(__file__).parents[1] / "bundled" / "split.json"


@dataclass(frozen=True)
class Split:
    """The two held-out groups of people, and the single photos that nobody trains on.

    `aliases` maps a person key to the key of the same person under another name. `test_photos` are photos
    of people who train, kept for tests; `left_out` are photos without a trusted name that resemble a
    held-out person. Both hold strings made by `photo_key`.
    """

    validation: tuple[str, ...]
    test: tuple[str, ...]
    test_photos: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()

    def person(self, name: str) -> str:
        """Return the key under which this split knows the person called `name`."""
        key = person_key(name)
        return dict(self.aliases).get(key, key)

    def judges(self, name: str) -> bool:
        """Return whether no photo of this person was trained on or used to choose a setting."""
        return self.person(name) in self._test

    def side(self, source: str, name: str, file: str) -> Side:
        """Return the side of one photo; photos without a name train unless they were left out."""
        photo = photo_key(source, name, file)
        if photo in self._left_out:
            return "left-out"
        if name and self.judges(name):
            return "test"
        if name and self.person(name) in self._validation:
            return "validation"
        return "test-photo" if photo in self._test_photos else "train"

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
    """Read a split that `save_split` wrote; the default is that of the bundled model."""
    fields = json.loads(path.read_text(encoding="utf-8"))
    return Split(
        validation=tuple(fields["validation"]),
        test=tuple(fields["test"]),
        test_photos=tuple(fields["test_photos"]),
        left_out=tuple(fields["left_out"]),
        aliases=tuple(sorted(fields["aliases"].items())),
    )


def save_split(split: Split, path: Path) -> None:
    """Write the split as JSON that reads well in a diff."""
    fields = {
        "aliases": dict(split.aliases),
        "validation": sorted(split.validation),
        "test": sorted(split.test),
        "left_out": sorted(split.left_out),
        "test_photos": sorted(split.test_photos),
    }
    path.write_text(json.dumps(fields, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


def draw_split(names: Iterable[str], *, seed: int = 0) -> Split:
    """Draw who trains and who judges: a tenth of the people validate, a tenth test, at least one each.

    Raises SourceError for fewer than three people.
    """
    people = sorted({person_key(name) for name in names if name})
    if len(people) < 3:
        raise SourceError("A split needs photos of at least three people: to train, to validate, to test.")
    tenth = max(1, len(people) // 10)
    drawn = [people[place] for place in np.random.default_rng(seed).permutation(len(people))]
    return Split(validation=tuple(drawn[:tenth]), test=tuple(drawn[tenth : 2 * tenth]))


def photo_key(source: str, name: str, file: str) -> str:
    """Return the one string that stands for a photo of a source dataset."""
    return f"{source}/{name}/{file}"
