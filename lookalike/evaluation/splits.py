"""The split of people into training, validation and test, across all sources.

People are compared by a key that ignores case, accents, spaces and punctuation, so that one person under two
spellings is on one side. Some photos of people in the training set are test photos too, for tests of known
people in new photos.
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
from lookalike.files import BUNDLED, write_text
from lookalike.names import person_key

Side = Literal["train", "validation", "test", "test-photo", "left-out"]

BUNDLED_SPLIT = BUNDLED / "split.json"


@dataclass(frozen=True)
class Split:
    """The people for validation and test, and single photos that are not used for training.

    `aliases` maps a person key to the key of the same person under another name. `test_photos` are test
    photos of people in the training set. `left_out` are photos without a reliable name that resemble a
    person for validation or test. Both contain strings made by `photo_key`.
    """

    validation: tuple[str, ...]
    test: tuple[str, ...]
    test_photos: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()

    def person(self, name: str) -> str:
        """Return the key of the person called `name`, with aliases resolved."""
        key = person_key(name)
        return dict(self.aliases).get(key, key)

    def is_for_test(self, name: str) -> bool:
        """Return whether this person is in the test set, so that no photo was used for training or
        validation.
        """
        return self.person(name) in self._test

    def side(self, source: str, name: str, file: str) -> Side:
        """Return the side of one photo. Photos without a name are for training unless they are left out."""
        photo = photo_key(source, name, file)
        if photo in self._left_out:
            return "left-out"
        if name and self.is_for_test(name):
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
    """Read a split that `save_split` wrote. The default is the split of the bundled model."""
    fields = json.loads(path.read_text(encoding="utf-8"))
    return Split(
        validation=tuple(fields["validation"]),
        test=tuple(fields["test"]),
        test_photos=tuple(fields["test_photos"]),
        left_out=tuple(fields["left_out"]),
        aliases=tuple(sorted(fields["aliases"].items())),
    )


def save_split(split: Split, path: Path) -> None:
    """Write the split as JSON with one entry per line."""
    fields = {
        "aliases": dict(split.aliases),
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
