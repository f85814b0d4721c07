"""Batches for distillation: augmented views of faces, new in every epoch, with the teacher's embeddings."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from lookalike.evaluation.aligned_faces import AlignedFaces
from lookalike.models.embedder import Embedder, Embeddings, embed_both_sides
from lookalike.training.augmentation import Images, blend, degrade, reframe, stretch


class Views(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of ((batch, h, w, 3) float32 views 0..1, (batch, d) float32 teacher's embeddings).

    With a `teacher`, views are also deformed, and a fraction `mix` of them is blended with another face; the
    teacher embeds every view and its mirror image. "A good teacher is patient and consistent", Beyer et al.
    2022 (https://arxiv.org/abs/2106.05237). Without a teacher, a view keeps the embedding that the table
    holds for its face, and nothing is blended. A fraction `worse` of the views is then degraded for the
    student alone.

    An epoch has `views` views, each of another face, or as many as there are faces.

    A batch depends only on the seed, the epoch and its index, so a resumed run gets the same batches as an
    undisturbed one.
    """

    def __init__(
        self,
        faces: AlignedFaces,
        teacher: Embedder | None,
        *,
        batch: int,
        mix: float,
        worse: float,
        seed: int,
        views: int | None = None,
    ) -> None:
        super().__init__(workers=1)  # with more, Keras may drop a batch between two epochs
        self._faces, self._teacher, self._batch = faces, teacher, batch
        self._mix, self._worse = mix, worse
        self._seed, self._epoch = seed, 0
        self._views = min(views or len(faces), len(faces))

    def __len__(self) -> int:
        return self._views // self._batch

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], Embeddings]:
        order = np.random.default_rng((self._seed, self._epoch)).permutation(len(self._faces))
        chosen = order[index * self._batch : (index + 1) * self._batch]
        rng = np.random.default_rng((self._seed, self._epoch, index))
        views = reframe(rng, self._faces.images[chosen])
        if self._teacher:
            views = stretch(rng, self._blended(rng, views))
            targets = embed_both_sides(self._teacher, list(views))
        else:
            targets = self._faces.teacher[chosen]
        worse = rng.random(len(views)) < self._worse
        if worse.any():
            views[worse] = degrade(rng, views[worse])
        return views.astype(np.float32) / np.float32(255), targets

    def begin(self, epoch: int) -> None:
        """Switch to the views of this epoch, counted from 0."""
        self._epoch = epoch

    def _blended(self, rng: np.random.Generator, views: Images) -> Images:
        mixed = np.flatnonzero(rng.random(len(views)) < self._mix)
        if len(mixed):
            partners = rng.integers(0, len(self._faces), len(mixed))
            views[mixed] = blend(rng, views[mixed], reframe(rng, self._faces.images[partners]))
        return views
