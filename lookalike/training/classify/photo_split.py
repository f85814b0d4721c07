"""Assign photos to training, validation and test: stratified by name, with copies of a photo together."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import SourceError, TrainingError
from lookalike.files import write_text
from lookalike.models.duplicates import copy_cosine, copy_groups
from lookalike.training.classify.faces import FaceTable
from lookalike.training.classify.reading import reading

Part = Literal["train", "validation", "test"]

PARTS: tuple[Part, ...] = ("train", "validation", "test")
SPLIT_FILE, OLD_SPLIT_FILE = "photo_split.json", "split.json"


@dataclass(frozen=True)
class PhotoSplit:
    """The photos of each part by origin.

    `few` are the names left out with their numbers of photos, `untested` the names without a test photo;
    `copies` counts the photos that have a copy; `shares` are the requested fractions; `unseen_by` is the file
    of the split whose training photos were kept out of the test.
    """

    parts: dict[str, list[str]]
    names: list[str]
    few: dict[str, int]
    untested: list[str]
    copies: int
    seed: int
    shares: dict[str, float]
    unseen_by: str | None = None

    @property
    def lines(self) -> list[str]:
        """A summary, one sentence a line."""
        counts = ", ".join(f"{len(self.parts[part]):,} {part}" for part in PARTS)
        lines = [f"{len(self.names):,} names: {counts}; {self.copies:,} photos are copies, kept together"]
        if self.few:
            listed = ", ".join(f"{name} ({number})" for name, number in self.few.items())
            lines.append(
                f"left out for too few photos: {listed}; give them more photos, or lower --min-photos"
            )
        if self.untested:
            lines.append(f"no test photos of {', '.join(self.untested)}: all their photos were trained on")
        return lines


@dataclass(frozen=True, eq=False)
class LabelledFaces:
    """The faces of one part, and the index (n,) of each one's name in the list of names."""

    faces: FaceTable
    labels: NDArray[np.intp]


def draw_photo_split(
    table: FaceTable,
    *,
    validation: float,
    test: float,
    min_photos: int,
    seed: int = 0,
    may_test: Callable[[str, str, str], bool] = lambda source, name, file: True,
    unseen_by: str | None = None,
) -> PhotoSplit:
    """Draw the parts: these fractions of each name's photos validate and test, at least one photo each.

    Copies of a photo go to one part, even under several names. `may_test` says for a photo, by source, name
    and file, whether it may go to the test; a group of copies may only if all of them may. Raises SourceError
    when fewer than two names have `min_photos` photos, or when a part is empty.
    """
    counts = Counter(table.names)
    few = {name: number for name, number in sorted(counts.items()) if number < min_photos}
    names = sorted(set(counts) - set(few))
    if len(names) < 2:
        raise SourceError(
            f"A classifier needs two names with at least {min_photos} photos each; there "
            f"{'is only one' if names else 'are none'}. Add photos, or lower --min-photos."
        )
    groups, copies = _groups(table)
    photos = zip(table.sources, table.names, table.files, strict=True)
    testable = np.array([may_test(*photo) for photo in photos])
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    untested = []
    assigned: dict[int, Part] = {}  # the part of each group of copies, also for the next name that has one
    for number, name in enumerate(names):
        places = np.flatnonzero(np.asarray(table.names) == name)
        _assign(places, groups, testable, assigned, (validation, test), np.random.default_rng((seed, number)))
        for place in places:
            parts[assigned[int(groups[place])]].append(table.origins[place])
        if "test" not in {assigned[int(groups[place])] for place in places}:
            untested.append(name)
    if empty := [part for part in PARTS if not parts[part]]:
        raise SourceError(
            f"No photo is left for {' and '.join(empty)}: the photos are copies of each other, or were "
            "trained on. Add photos, or change --validation, --test or --unseen-by."
        )
    shares = {"validation": validation, "test": test}
    return PhotoSplit(parts, names, few, untested, copies, seed, shares, unseen_by)


def _groups(table: FaceTable) -> tuple[NDArray[np.intp], int]:
    """Return each photo's group of copies, and how many photos have a copy."""
    names = np.asarray(table.names)
    threshold = copy_cosine([table.embeddings[names == name] for name in sorted(set(table.names))])
    groups = copy_groups(table.embeddings, threshold)
    sizes = np.bincount(groups)
    return groups, int((sizes[groups] > 1).sum())


def _assign(
    places: NDArray[np.intp],
    groups: NDArray[np.intp],
    testable: NDArray[np.bool_],
    assigned: dict[int, Part],
    shares: tuple[float, float],
    random: np.random.Generator,
) -> None:
    """Assign every group of one name to a part: test first, then validation, and training gets the rest."""
    mine = [int(group) for group in random.permutation(np.unique(groups[places]))]
    size = {group: int((groups[places] == group).sum()) for group in mine}
    wanted: dict[Part, int] = {
        "test": max(1, round(shares[1] * len(places))),
        "validation": max(1, round(shares[0] * len(places))),
    }
    for part, number in wanted.items():
        missing = number - sum(size[group] for group in mine if assigned.get(group) == part)
        for group in mine:
            allowed = part == "validation" or bool(testable[groups == group].all())
            if group not in assigned and allowed and size[group] <= missing:
                assigned[group] = part
                missing -= size[group]
    for group in mine:
        assigned.setdefault(group, "train")


def save_photo_split(split: PhotoSplit, folder: Path) -> None:
    """Write the split into the folder of faces."""
    write_text(folder / SPLIT_FILE, json.dumps(asdict(split), indent=1, ensure_ascii=False) + "\n")


def photo_split_path(folder: Path) -> Path:
    """Return the file of a folder's split; older folders call it split.json."""
    new, old = folder / SPLIT_FILE, folder / OLD_SPLIT_FILE
    return old if old.exists() and not new.exists() else new


def load_photo_split(folder: Path) -> PhotoSplit:
    """Read the split of a folder of faces; raise MissingFileError when it has none."""
    path = photo_split_path(folder)
    missing = f"There is no split in {folder}; make one with: python -m lookalike.training split SOURCE "
    with reading(path, missing=f"{missing}--output {folder}", damaged="split again"):
        return PhotoSplit(**json.loads(path.read_text(encoding="utf-8")))


def labelled_parts(
    table: FaceTable, split: PhotoSplit, parts: Sequence[Part] = PARTS
) -> dict[str, LabelledFaces]:
    """Return the faces of each part with their labels; raise TrainingError when the table lacks a photo."""
    place_of = {origin: place for place, origin in enumerate(table.origins)}
    if missing := sum(origin not in place_of for part in parts for origin in split.parts[part]):
        raise TrainingError(f"{missing:,} photos of the split are not among the faces; split again.")
    found: dict[str, LabelledFaces] = {}
    for part in parts:
        faces = table.take(np.array([place_of[origin] for origin in split.parts[part]], np.intp))
        found[part] = LabelledFaces(faces, np.searchsorted(split.names, faces.names))
    return found
