"""The standing: a first match compared with strangers' first matches."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.gallery.gallery import Gallery
from lookalike.gallery.standing import Standing, best_without_own, fit_standing
from lookalike.models.cohort import Cohort
from lookalike.models.embedder import unit_rows
from tests.support.fakes import make_gallery, unit

ANY = unit(1, 0, 0)


def test_standing_is_the_share_of_strangers_with_a_lesser_first_match():
    gallery = make_gallery(standing=[0.0, 0.5, 1.0], ada=[[1, 0, 0]])
    assert [gallery.standing(cosine, ANY) for cosine in (-0.2, 0.25, 0.5, 1.0)] == [0.0, 0.25, 0.5, 1.0]
    assert make_gallery(ada=[[1, 0, 0]]).standing(0.5, ANY) is None


def test_standing_leaves_a_probes_own_name_out():
    gallery = make_gallery(ada=[[1, 0, 0]], bo=[[3, 4, 0]])
    quantiles = best_without_own(gallery.embeddings, gallery).quantiles
    assert len(quantiles) == 101 and set(quantiles) == {0.6}
    lonely = make_gallery(ada=[[1, 0, 0]])
    assert best_without_own(lonely.embeddings, lonely) == Standing()


def test_a_first_match_is_measured_by_what_such_a_face_can_expect():
    random = np.random.default_rng(0)
    dense = np.arange(2000) % 2  # every other face lies nearer to all strangers
    statistics = np.stack([0.2 + 0.1 * dense, random.normal(0.05, 0.002, 2000)], axis=1).astype(np.float32)
    firsts = 4 - 8 * statistics[:, 0] + random.normal(0, 0.3, 2000)
    raw = Standing(tuple(np.quantile(firsts, np.linspace(0, 1, 101))))
    fitted = fit_standing(firsts, statistics)
    assert fitted.expected[1] == pytest.approx(-8, abs=0.5)
    for standing, least, most in ((raw, 0.01, 0.19), (fitted, 0.09, 0.11)):
        shares = np.array([standing.share_below(*each) for each in zip(firsts, statistics, strict=True)])
        below = [float((shares[dense == group] < 0.1).mean()) for group in (0, 1)]
        assert below == pytest.approx([least, most], abs=0.02)


def test_few_strangers_are_measured_by_their_scores_alone():
    standing = fit_standing(np.array([1.0, 2.0, 3.0]), np.ones((3, 2), np.float32))
    assert standing.expected == () and standing.share_below(2.0, None) == 0.5


def test_taking_somebody_out_of_a_gallery_with_a_cohort_leaves_the_standing_in_scores():
    strangers = unit_rows(np.random.default_rng(1).normal(size=(400, 3)).astype(np.float32))
    gallery = make_gallery(ada=[[1, 0, 0]], bo=[[3, 4, 0]], cy=[[0, 0, 1]]).with_cohort(Cohort(strangers, 50))
    left: Gallery = gallery.without({"ada"})
    assert left.names == ("bo", "cy") and left.settings.standing == gallery.settings.standing
    assert left.with_cohort(Cohort(strangers, 50)).settings.standing == gallery.settings.standing
