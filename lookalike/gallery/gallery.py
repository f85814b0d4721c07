"""The gallery: one row per kept photo, searched by name.

A folder (or a Hub dataset) holds one configuration per model:

    compact/gallery.json                               settings, see lookalike.gallery.settings
    compact/rows-00000-of-00001-0123456789ab.parquet   columns as in lookalike.gallery.schema
    README.md                                          the card

The build, the Hub and the app use the same layout. See lookalike.gallery.storage for the names of the files.
"""

from __future__ import annotations

import hashlib
import logging
from bisect import bisect_left
from collections.abc import Collection, Sequence
from copy import copy
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lookalike.errors import GalleryError, MismatchError
from lookalike.files import BUNDLED
from lookalike.gallery.choices import EVERYONE, FACTS, Choice, Choices
from lookalike.gallery.credit import Credit, licence_address
from lookalike.gallery.regions import region_of
from lookalike.gallery.schema import (
    Row,
    checked,
    distinct_rows,
    embeddings_of,
    stored_statistics,
    table_of,
    with_statistics,
)
from lookalike.gallery.scoring import CohortScoring, CosineScoring, Scoring
from lookalike.gallery.search import Hit, largest
from lookalike.gallery.settings import Settings
from lookalike.gallery.standing import Standing, best_without_own, standing_among
from lookalike.gallery.storage import read_gallery, write_gallery
from lookalike.models.cohort import Cohort
from lookalike.models.embedder import Embedder, Embeddings
from lookalike.names import person_key

log = logging.getLogger(__name__)

BUNDLED_GALLERY = BUNDLED / "gallery"


class Gallery:
    """An immutable table, its rows sorted by name, and exact search over it.

    Scores are cosines until `with_cohort` normalizes them.
    """

    def __init__(self, table: pa.Table, settings: Settings) -> None:
        self.settings = settings
        self._scoring: Scoring = CosineScoring()
        self._table = checked(table, settings.dim)
        self.embeddings: Embeddings = embeddings_of(self._table, settings.dim)
        self._row_names: list[str] = self._table["name"].to_pylist()
        changes = [0, *(i for i in range(1, len(self)) if self._row_names[i] != self._row_names[i - 1])]
        self._columns: dict[str, list[Any]] = {}  # read once, when first needed
        self._starts = np.array(changes)  # (names,) first row of each name
        self._sizes = np.diff([*changes, len(self)])  # (names,) how many rows it has
        self.names: tuple[str, ...] = tuple(self._row_names[start] for start in changes)

    def __len__(self) -> int:
        return len(self._row_names)

    def __repr__(self) -> str:
        return f"<Gallery of {len(self.names)} names in {len(self)} rows for {self.settings.model}>"

    @classmethod
    def of(cls, rows: Sequence[Row], settings: Settings) -> Gallery:
        """Make a gallery of rows in any order."""
        if not rows:
            raise GalleryError("A gallery needs at least one row.")
        return cls(table_of(rows, settings.dim), settings)

    @classmethod
    def load(cls, folder: Path = BUNDLED_GALLERY, *, model: str = "compact") -> Gallery:
        """Load one model's gallery from a folder that `save` wrote. Raises GalleryError with the way out.

        Repeated rows are left out, and their number is logged.
        """
        gallery = cls(*read_gallery(folder, model))
        once = distinct_rows(gallery.embeddings, np.repeat(gallery._starts, gallery._sizes))
        if len(once) == len(gallery):
            return gallery
        log.warning("%s: %s rows that are there twice are left out", folder, f"{len(gallery) - len(once):,}")
        return cls(gallery._table.take(once), gallery.settings)

    def save(self, folder: Path) -> None:
        """Write this model's gallery into `folder`; see `lookalike.gallery.storage.write_gallery`."""
        write_gallery(folder, self._table, self.settings)

    def without(self, person_keys: Collection[str]) -> Gallery:
        """Return the gallery without the people of these keys (see `lookalike.names.person_key`).

        Where scores are cosines and rows are photos, the standing is measured on these photos anew.
        Raises GalleryError when nobody would be left.
        """
        stays = [person_key(name) not in person_keys for name in self._row_names]
        gone = len(stays) - sum(stays)
        if gone == len(stays):
            raise GalleryError("Nobody would be left in the gallery; delete it instead.")
        records = {**self.settings.records, "taken out": self.settings.records.get("taken out", 0) + gone}
        records["kept"] = max(records.get("kept", 0) - gone, 0)
        settings = replace(self.settings, records=records)
        gallery = Gallery(self._table.filter(pa.array(stays)), settings)
        if self.settings.cohort or self.origin(0) is None:  # a mean is no stranger's photo
            return gallery
        return gallery.with_standing(best_without_own(gallery.embeddings[gallery._starts], gallery))

    def check(self, embedder: Embedder) -> None:
        """Raise MismatchError unless `embedder` gives embeddings that can be compared with the rows."""
        ours, model = self.settings, embedder.model
        theirs = (model.name, model.weights, model.dim, model.alignment, model.normalization)
        if theirs != (ours.model, ours.weights, ours.dim, ours.alignment, ours.normalization):
            raise MismatchError(
                f"The gallery was made with {ours.model} ({ours.alignment}, {ours.dim} numbers), but photos "
                f"would be embedded with {model.name} ({model.alignment}, {model.dim} numbers); "
                "choose that model or build the gallery again."
            )
        if embedder.engine == ours.engine and embedder.weights_hash != ours.weights_hash:
            raise MismatchError(
                f"The gallery was made with other weights of {ours.model} ({ours.weights_hash[:12]}) "
                f"than those that are here ({embedder.weights_hash[:12]}); build the gallery again."
            )

    @cached_property
    def revision(self) -> str:
        """The first 12 digits of a SHA-256 over names and embeddings: the same table, the same revision."""
        digest = hashlib.sha256("\0".join(self._row_names).encode())
        digest.update(self.embeddings.tobytes())
        return digest.hexdigest()[:12]

    def with_cohort(self, cohort: Cohort, *, strangers: Embeddings | None = None) -> Gallery:
        """Return the gallery with scores normalized by `cohort`, the rows' statistics, and the standing of
        the cohort's strangers in it.

        What was stored with the rows is used where it belongs to this very cohort. `strangers`, (n, dim) unit
        rows of ordinary people, make the standing instead of the cohort's, which are drawn.
        """
        statistics = stored_statistics(self._table) if self.settings.cohort == cohort.digest else None
        gallery = copy(self)
        if statistics is None:
            statistics = cohort.statistics(self.embeddings)
            gallery._table = with_statistics(self._table, statistics)
            standing = standing_among(self.embeddings, statistics, cohort, strangers=strangers)
            gallery.settings = replace(self.settings, cohort=cohort.digest, standing=standing)
        gallery._scoring = CohortScoring(cohort, statistics)
        return gallery

    def with_standing(self, standing: Standing) -> Gallery:
        """Return the gallery with this standing of strangers' first matches."""
        gallery = copy(self)
        gallery.settings = replace(self.settings, standing=standing)
        return gallery

    def search(self, probe: NDArray[np.float32], *, count: int = 5) -> list[Hit]:
        """Return the `count` names whose best row has the highest score with `probe` (dim,) of unit length,
        highest first; ties by name. Exact: every row is scored.
        """
        probe = np.asarray(probe, np.float32)
        cosines = self.embeddings @ probe  # (rows, dim) x (dim,) -> (rows,)
        scores = self._scoring.scores(cosines, probe)
        one_each = len(self._starts) == len(scores)
        best = scores if one_each else np.maximum.reduceat(scores, self._starts)  # (names,)
        return [self._hit(name, scores, cosines) for name in largest(best, count)]

    def standing(self, score: float, probe: NDArray[np.float32]) -> float | None:
        """Return the share, 0..1, of strangers whose first match here is less close than a first match with
        this score of `probe` (dim,), each measured by what such a face can expect; None if unknown.
        """
        return self.settings.standing.share_below(score, self._scoring.statistics_of(probe))

    @property
    def table(self) -> pa.Table:
        """The rows, sorted by name; see `lookalike.gallery.schema` for the columns."""
        return self._table

    def rows_of(self, name: str) -> Embeddings:
        """Return the (k, dim) rows of a name, k at least 1; raise GalleryError where it is not in here."""
        place = self._place_of(name)
        return self.embeddings[self._starts[place] :][: self._sizes[place]]

    def facts_of(self, name: str) -> dict[str, str | int]:
        """Return the known facts of a person, as `about` does; raise GalleryError for an unknown name."""
        return self.about(int(self._starts[self._place_of(name)]))

    @cached_property
    def choices(self) -> Choices:
        """What people can be chosen by."""
        columns = {"category": self._column("category"), "gender": self._column("gender")}
        regions = {region for country in set(self._column("country")) if (region := region_of(country))}
        found = {name: tuple(sorted(set(values) - {None})) for name, values in columns.items()}
        return Choices(found["gender"], found["category"], tuple(sorted(regions)))

    def only(self, choice: Choice) -> Gallery:
        """Return the rows of the people who fit the choice, without a standing: that is the whole gallery's.

        Scores stay what they are. Raises GalleryError, with what there is, for a choice that the gallery does
        not have or that nobody fits.
        """
        if choice == EVERYONE:
            return self
        self.choices.check(choice)
        stays = np.ones(len(self), bool)
        for name, value in asdict(choice).items():
            if value is not None:
                stays &= np.array([mine == value for mine in self._choice_column(name)])
        if not stays.any():
            raise GalleryError("Nobody in the gallery fits these choices together; leave one of them out.")
        gallery = Gallery(self._table.filter(pa.array(stays)), replace(self.settings, standing=Standing()))
        gallery._scoring = self._scoring.pick(np.flatnonzero(stays))
        return gallery

    def about(self, row: int) -> dict[str, str | int]:
        """Return the known facts of a row's person: native, field, gender, country, born, known_for."""
        facts = {fact: self._column(fact)[row] for fact in FACTS}
        return {fact: value for fact, value in facts.items() if value is not None}

    def photo(self, row: int) -> bytes | None:
        """Return the thumbnail of a row, encoded, or None where the gallery shows none."""
        field = self._table["photo"][row].as_py()
        return None if field is None else field["bytes"]

    def credit(self, row: int) -> Credit | None:
        """Return whom to credit for the thumbnail of a row, None where the gallery does not say."""
        author, licence, source = (self._column(name)[row] for name in ("credit", "licence", "source"))
        if not author or not licence:
            return None
        return Credit(author, licence, source or "", licence_address(licence))

    def photos(self, row: int) -> int:
        """Return how many photos a row stands for."""
        return int(self._table["photos"][row].as_py() or 1)

    def origin(self, row: int) -> str | None:
        """Return where the photo of a row comes from; None for a row that is a mean."""
        return self._table["origin"][row].as_py()

    def _place_of(self, name: str) -> int:
        place = bisect_left(self.names, name)
        if place == len(self.names) or self.names[place] != name:
            raise GalleryError("The gallery has no such name.")
        return place

    def _hit(self, name: int, scores: NDArray[np.float32], cosines: NDArray[np.float32]) -> Hit:
        start = int(self._starts[name])
        row = start + int(np.argmax(scores[start:][: self._sizes[name]]))
        return Hit(row, self.names[name], float(scores[row]), float(cosines[row]))

    def _column(self, name: str) -> list[Any]:
        """Return the values of a column, None for each row where the gallery lacks it."""
        if name not in self._columns:
            there = name in self._table.column_names
            self._columns[name] = self._table[name].to_pylist() if there else [None] * len(self)
        return self._columns[name]

    def _choice_column(self, name: str) -> list[str | None]:
        if name == "region":
            return [region_of(country) for country in self._column("country")]
        return self._column(name)
