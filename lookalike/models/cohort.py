"""The score: a cosine, normalized by what both faces get from a cohort of ordinary strangers.

Some faces lie near to everybody, and the faces of one group lie nearer to each other than those of another.
So a cosine alone does not say how rare a likeness is. Adaptive symmetric score normalization (AS-norm)
measures it in each face's own units:

    score = ½ [(cosine - mean_a) / spread_a + (cosine - mean_b) / spread_b]

where mean and spread are those of a face's cosines to the strangers of the cohort that are nearest to it.
Matějka et al. 2017, "Analysis of Score Normalization in Multilingual Speaker Recognition", Interspeech.
Mean and spread do not say all about the few strangers who are most alike; a linear term in the face's
embedding, the `reach`, is added to the mean for what they leave out.

The cohort that ships holds no person: it is drawn from a mixture of Gaussians that was fitted to the
embeddings of ordinary people.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.models.embedder import Embeddings, unit_rows

# (n, 2): mean, with the reach, and spread of a face's cosines to its nearest strangers
Statistics = NDArray[np.float32]
Reach = NDArray[np.float32]  # (dim + 3,): weights of a face's embedding, mean and spread, and a constant

SIZE = 4000  # strangers drawn from a mixture; one product with a face's embedding takes 0.1 ms
NEAREST = 300  # of them describe a face; from 50 to 300 the error rates of the groups differ by a tenth
COMPONENTS = 32
FEWEST_PER_COMPONENT = 12  # faces, so that a small set of strangers gets fewer components
SEED = 0
CHUNK = 2048  # faces at once: (2048, 4000) float32 cosines are 33 MB


@dataclass(frozen=True, eq=False)
class Mixture:
    """A mixture of Gaussians that share one covariance: `means` (k, dim), `weights` (k,) and `factor` (dim,
    dim), the lower triangular Cholesky factor of the covariance; all float32. `reach` belongs to its cohort.
    """

    weights: NDArray[np.float32]
    means: NDArray[np.float32]
    factor: NDArray[np.float32]
    reach: Reach | None = None

    def sample(self, count: int = SIZE) -> Embeddings:
        """Return (count, dim) rows of unit length, the same each time.

        They come from NumPy's RandomState, whose stream is frozen, unlike that of its newer generators.
        """
        random = np.random.RandomState(SEED)
        chosen = random.choice(len(self.weights), count, p=self.weights / self.weights.sum(dtype=np.float64))
        noise = random.standard_normal((count, len(self.factor)))
        return unit_rows(self.means[chosen] + noise @ self.factor.T)  # (n, d) x (d, d) -> (n, d)

    def to_json(self) -> dict[str, str]:
        """Return the numbers as text: float16, little-endian, base64."""
        parts = {"weights": self.weights, "means": self.means, "factor": self.factor, "reach": self.reach}
        return {
            name: base64.b64encode(part.astype("<f2").tobytes()).decode("ascii")
            for name, part in parts.items()
            if part is not None
        }

    @classmethod
    def from_json(cls, fields: dict[str, Any], dim: int) -> Mixture:
        """Return what `to_json` stored for embeddings of `dim` numbers; raise ValueError for others."""
        weights, means, factor, reach = (
            np.frombuffer(base64.b64decode(fields.get(name, ""), validate=True), "<f2").astype(np.float32)
            for name in ("weights", "means", "factor", "reach")
        )
        mixture = cls(
            weights,
            means.reshape(len(weights), dim),
            factor.reshape(dim, dim),
            reach.reshape(dim + 3) if "reach" in fields else None,
        )
        if not all(np.isfinite(part).all() for part in (weights, means, factor, reach)) or weights.min() < 0:
            raise ValueError("a mixture with impossible numbers")
        if weights.sum() <= 0:
            raise ValueError("a mixture without weights")
        return mixture


def fit_mixture(embeddings: Embeddings) -> Mixture:
    """Fit a mixture to (n, dim) embeddings of ordinary people, at least FEWEST_PER_COMPONENT of them.

    Raises ValueError for fewer. Fitted by expectation maximization (scikit-learn), from a fixed seed.
    """
    from sklearn.mixture import GaussianMixture  # takes a second to import

    components = min(COMPONENTS, len(embeddings) // FEWEST_PER_COMPONENT)
    if components < 1:
        raise ValueError(f"{len(embeddings)} faces are too few for a cohort of strangers")
    fitted = GaussianMixture(
        components, covariance_type="tied", reg_covar=1e-5, max_iter=200, random_state=SEED
    ).fit(embeddings.astype(np.float64))
    parts = fitted.weights_, fitted.means_, np.linalg.cholesky(fitted.covariances_)
    return Mixture(*(np.asarray(part, np.float16).astype(np.float32) for part in parts))


@dataclass(frozen=True, eq=False)
class Cohort:
    """Embeddings of ordinary strangers, (n, dim) float32 rows of unit length, and how many of the nearest
    describe a face. Without `reach` mean and spread are those of the cosines.
    """

    rows: Embeddings
    nearest: int = NEAREST
    reach: Reach | None = None

    @classmethod
    def of(cls, mixture: Mixture) -> Cohort:
        """Draw the cohort of a mixture."""
        return cls(mixture.sample(), reach=mixture.reach)

    @cached_property
    def digest(self) -> str:
        """The first 12 digits of a SHA-256 over what decides the statistics, to 3 decimals."""
        rounded = np.round(self.rows, 3).astype(np.float32) + np.float32(0)  # no negative zeros
        reach = b"" if self.reach is None else self.reach.tobytes()
        return hashlib.sha256(rounded.tobytes() + str(self.nearest).encode() + reach).hexdigest()[:12]

    def statistics(self, embeddings: Embeddings, *, own: bool = False) -> Statistics:
        """Return mean, with the reach, and spread of the cosines of (n, dim) unit rows to their nearest
        strangers, (n, 2).

        With `own` the embeddings are the cohort's rows themselves, and each leaves itself out.
        """
        parts = [
            self._statistics(embeddings[start : start + CHUNK], skip=int(own))
            for start in range(0, len(embeddings), CHUNK)
        ]
        return np.concatenate(parts) if parts else np.empty((0, 2), np.float32)

    def _statistics(self, embeddings: Embeddings, *, skip: int) -> Statistics:
        cosines = embeddings @ self.rows.T  # (n, d) x (d, cohort) -> (n, cohort)
        count = min(self.nearest + skip, cosines.shape[1])
        nearest = -np.partition(-cosines, count - 1, axis=1)[:, :count]
        if skip:
            nearest = -np.sort(-nearest, axis=1)[:, skip:]
        mean, spread = nearest.mean(axis=1), nearest.std(axis=1)
        if self.reach is not None:
            mean = mean + spread * (reach_inputs(embeddings, mean, spread) @ self.reach)
        return np.stack([mean, spread], axis=1).astype(np.float32)


def reach_inputs(
    embeddings: Embeddings, mean: NDArray[np.float32], spread: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return what `Cohort.reach` weighs of (n, dim) faces with these (n,) statistics, (n, dim + 3)."""
    return np.column_stack([embeddings, mean, spread, np.ones_like(mean)])


def normalize(
    cosines: NDArray[np.floating[Any]], first: Statistics, second: Statistics
) -> NDArray[np.float32]:
    """Return the scores of cosines (n,) between faces whose statistics are `first` and `second`, (n, 2) or
    (2,) each.
    """
    halves = [(cosines - side[..., 0]) / side[..., 1] for side in (first, second)]
    return np.asarray((halves[0] + halves[1]) / 2, np.float32)
