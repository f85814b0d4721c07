"""What the student is shown: batches of views that no pass repeats, with what the teacher says of them."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from lookalike.embedders import Embeddings
from lookalike.evaluation.aligned import AlignedFaces
from lookalike.training.augmentation import Images, blend, degrade, reframe, stretch
from lookalike.training.teachers import Teacher

Random = np.random.Generator

ECHOES = 3  # passes that show what the teacher looked at once, each degraded anew: 1.3 times the speed


class Views(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches of (views 0..1, the teacher's embeddings).

    With a teacher that looks for itself, each view is new to it: moved, stretched, a share `mix` blended with
    another face. "A good teacher is patient and consistent", Beyer et al. 2022
    (https://arxiv.org/abs/2106.05237). What it said serves for ECHOES passes (data echoing, Choi et al. 2019,
    https://arxiv.org/abs/1907.05550). Without a teacher a view keeps the embedding that the table holds for
    its face, and nothing is blended. A share `worse` of the views is then degraded for the student alone.

    A batch depends on seed, pass and index alone, so a resumed run sees what an undisturbed one would have
    seen.
    """

    def __init__(
        self,
        faces: AlignedFaces,
        teacher: Teacher | None,
        *,
        batch: int,
        mix: float,
        worse: float,
        seed: int,
        first_pass: int,
    ) -> None:
        super().__init__(workers=2, use_multiprocessing=False, max_queue_size=6)
        self._faces, self._teacher, self._batch = faces, teacher, batch
        self._mix, self._worse = mix, worse
        self._seed, self._pass = seed, first_pass
        self._said: dict[tuple[int, int], Embeddings] = {}

    def __len__(self) -> int:
        return len(self._faces) // self._batch

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], Embeddings]:
        scene, echo = divmod(self._pass, ECHOES)
        if self._teacher is None:
            scene = self._pass
        else:  # the same batches in another order
            index = int(np.random.default_rng((self._seed, self._pass)).permutation(len(self))[index])
        chosen = self._chosen(scene, index)
        views = self._views(np.random.default_rng((self._seed, scene, index)), chosen)
        said = self._ask(scene, index, views) if self._teacher else self._faces.teacher[chosen]
        rng = np.random.default_rng((self._seed, scene, index, echo))
        worse = rng.random(len(views)) < self._worse
        if worse.any():
            views[worse] = degrade(rng, views[worse])
        return views.astype(np.float32) / np.float32(255), said

    def on_epoch_end(self) -> None:
        self._pass += 1
        if self._pass % ECHOES == 0:
            self._said.clear()

    def _chosen(self, scene: int, index: int) -> NDArray[np.intp]:
        order = np.random.default_rng((self._seed, scene)).permutation(len(self._faces))
        return order[index * self._batch : (index + 1) * self._batch]

    def _views(self, rng: Random, chosen: NDArray[np.intp]) -> Images:
        views = reframe(rng, self._faces.images[chosen])
        if self._teacher is None:
            return views
        mixed = np.flatnonzero(rng.random(len(views)) < self._mix)
        if len(mixed):
            partners = rng.integers(0, len(self._faces), len(mixed))
            views[mixed] = blend(rng, views[mixed], reframe(rng, self._faces.images[partners]))
        return stretch(rng, views)

    def _ask(self, scene: int, index: int, views: Images) -> Embeddings:
        assert self._teacher is not None
        if (scene, index) not in self._said:
            self._said[scene, index] = self._teacher.look(views)
        return self._said[scene, index]
