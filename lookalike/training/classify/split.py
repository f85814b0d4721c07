"""Who of the photos trains, who chooses the settings, and who judges: stratified by name, copies together."""

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
from lookalike.models.duplicates import copy_cosine, copy_groups
from lookalike.training.classify.faces import FaceTable
from lookalike.training.classify.files import reading

Part = Literal["train", "validation", "test"]

PARTS: tuple[Part, ...] = ("train", "validation", "test")
SPLIT_FILE = "split.json"


@dataclass(frozen=True)
class Drawn:
    """Which photo is where, by origin; `few` are the names left out with their numbers of photos, `untested`
    those without a photo that may judge; `copies` counts the photos that share a group with another.
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
        """What to say of it, a sentence a line."""
        counts = ", ".join(f"{len(self.parts[part]):,} {part}" for part in PARTS)
        said = [f"{len(self.names):,} names: {counts}; {self.copies:,} photos are copies, kept together"]
        if self.few:
            listed = ", ".join(f"{name} ({number})" for name, number in self.few.items())
            said.append(
                f"left out for too few photos: {listed}; give them more photos, or lower --min-photos"
            )
        if self.untested:
            said.append(f"no photo of {', '.join(self.untested)} may judge: every one was trained on")
        return said


@dataclass(frozen=True, eq=False)
class Labelled:
    """The faces of one part, and the place (n,) of each one's name in the list of names."""

    faces: FaceTable
    labels: NDArray[np.intp]


def draw(
    table: FaceTable,
    *,
    validation: float,
    test: float,
    min_photos: int,
    seed: int = 0,
    may_judge: Callable[[str, str, str], bool] = lambda source, name, file: True,
    unseen_by: str | None = None,
) -> Drawn:
    """Draw the parts: of each name, these shares of its photos validate and test, one at least.

    Copies of a photo are on one side, also under several names. `may_judge` says of a photo, by source, name
    and file, whether it may test; a group of copies tests only if all of it may. Raises SourceError where
    fewer than two names have `min_photos` photos.
    """
    counts = Counter(table.names)
    few = {name: number for name, number in sorted(counts.items()) if number < min_photos}
    names = sorted(set(counts) - set(few))
    if len(names) < 2:
        raise SourceError(
            f"A network that tells people apart needs two names with at least {min_photos} photos each; "
            f"there {'is one' if names else 'are none'}. Give it more photos, or lower --min-photos."
        )
    groups, copies = _groups(table)
    judges = np.array(
        [may_judge(*photo) for photo in zip(table.sources, table.names, table.files, strict=True)]
    )
    parts: dict[str, list[str]] = {part: [] for part in PARTS}
    untested = []
    taken: dict[int, Part] = {}  # the part of each group of copies, also for the next name that has one
    for number, name in enumerate(names):
        places = np.flatnonzero(np.asarray(table.names) == name)
        _draw_name(places, groups, judges, taken, (validation, test), np.random.default_rng((seed, number)))
        for place in places:
            parts[taken[int(groups[place])]].append(table.origins[place])
        if "test" not in {taken[int(groups[place])] for place in places}:
            untested.append(name)
    if empty := [part for part in PARTS if not parts[part]]:
        raise SourceError(
            f"No photo is left for {' and '.join(empty)}: they are copies of each other, or trained on. Give "
            "it more photos, larger shares, or another --unseen-by."
        )
    shares = {"validation": validation, "test": test}
    return Drawn(parts, names, few, untested, copies, seed, shares, unseen_by)


def _groups(table: FaceTable) -> tuple[NDArray[np.intp], int]:
    """Return each photo's group of copies, and how many photos are in a group with others."""
    names = np.asarray(table.names)
    closeness = copy_cosine([table.embeddings[names == name] for name in sorted(set(table.names))])
    groups = copy_groups(table.embeddings, closeness)
    sizes = np.bincount(groups)
    return groups, int((sizes[groups] > 1).sum())


def _draw_name(
    places: NDArray[np.intp],
    groups: NDArray[np.intp],
    judges: NDArray[np.bool_],
    taken: dict[int, Part],
    shares: tuple[float, float],
    random: np.random.Generator,
) -> None:
    """Give every group of one name its part; test first, of the groups that may judge, then validation."""
    mine = [int(group) for group in random.permutation(np.unique(groups[places]))]
    size = {group: int((groups[places] == group).sum()) for group in mine}
    wanted: dict[Part, int] = {
        "test": max(1, round(shares[1] * len(places))),
        "validation": max(1, round(shares[0] * len(places))),
    }
    for part, number in wanted.items():
        missing = number - sum(size[group] for group in mine if taken.get(group) == part)
        for group in mine:
            allowed = part == "validation" or bool(judges[groups == group].all())
            if group not in taken and allowed and size[group] <= missing:
                taken[group] = part
                missing -= size[group]
    for group in mine:
        taken.setdefault(group, "train")


def save_split(drawn: Drawn, folder: Path) -> None:
    """Write the split into the folder of faces."""
    text = json.dumps(asdict(drawn), indent=1, ensure_ascii=False)
    (folder / SPLIT_FILE).write_text(text + "\n", encoding="utf-8")


def load_split(folder: Path) -> Drawn:
    """Read the split of a folder of faces; raise MissingFileError where it has none."""
    missing = f"There is no split in {folder}; make one with: python -m lookalike.training split SOURCE "
    with reading(folder / SPLIT_FILE, missing=f"{missing}--output {folder}", damaged="split again"):
        return Drawn(**json.loads((folder / SPLIT_FILE).read_text(encoding="utf-8")))


def parts_of(table: FaceTable, drawn: Drawn, parts: Sequence[Part] = PARTS) -> dict[str, Labelled]:
    """Return the faces of each part with their labels; raise TrainingError where the table lacks one."""
    place_of = {origin: place for place, origin in enumerate(table.origins)}
    found: dict[str, Labelled] = {}
    if missing := sum(origin not in place_of for part in parts for origin in drawn.parts[part]):
        raise TrainingError(f"{missing:,} photos of the split are not among the faces; split again.")
    for part in parts:
        faces = table.take(np.array([place_of[origin] for origin in drawn.parts[part]], np.intp))
        found[part] = Labelled(faces, np.searchsorted(drawn.names, faces.names))
    return found
