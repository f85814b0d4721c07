"""What gives meaning to a model's cosines: the cohort that normalizes them, and the scale to percentages."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lookalike.models.cohort import Cohort, Mixture, normalize
from lookalike.models.embedder import Embeddings
from lookalike.models.similarity import Scale


@dataclass(frozen=True, eq=False)
class Calibration:
    """A scale and the mixture behind the scores it was fitted to; without a mixture the score is the cosine.

    `same_cosine` is the cosine that as few strangers reach as the score from which two photos pass as one
    person: what DeepFace's `verify`, which knows no cohort, is given.
    """

    scale: Scale
    mixture: Mixture | None = None
    same_cosine: float | None = None

    @cached_property
    def cohort(self) -> Cohort | None:
        """The cohort, drawn from the mixture when it is first needed."""
        return None if self.mixture is None else Cohort.of(self.mixture)

    def score(self, cosine: float, one: Embeddings, other: Embeddings) -> float:
        """Return the score of two embeddings (dim,) of unit length, given their cosine."""
        if self.cohort is None:
            return cosine
        first, second = self.cohort.statistics(np.stack([one, other]))
        return float(normalize(np.array(cosine), first, second))

    def to_json(self) -> dict[str, Any]:
        """Return the fields that `from_json` reads."""
        mixture = None if self.mixture is None else self.mixture.to_json()
        return {"percentage": asdict(self.scale), "cohort": mixture, "same_cosine": self.same_cosine}

    @classmethod
    def from_json(cls, fields: dict[str, Any], dim: int) -> Calibration | None:
        """Return the calibration among a JSON's fields, None where there is none.

        Raises ValueError, KeyError or TypeError for values that cannot be one.
        """
        if fields.get("percentage") is None:
            return None
        mixture = fields.get("cohort")
        return cls(
            Scale.from_json(fields["percentage"]),
            None if mixture is None else Mixture.from_json(mixture, dim),
            fields.get("same_cosine"),
        )
