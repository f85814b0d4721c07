"""The percentage: rarity among strangers up to 60, one person at 90, the identical embedding at 100."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from lookalike.models.similarity import Scale, balanced_quantiles, fit_scale, points, rough_scale

RANDOM = np.random.default_rng(0)
STRANGERS = RANDOM.normal(0.05, 0.12, 200_000)
SAME = RANDOM.normal(0.6, 0.1, 5_000)
IDENTICAL = np.ones(100)


def test_every_factor_of_ten_gives_twenty_points():
    assert [points(share) for share in (1, 0.1, 0.01, 0.001)] == pytest.approx([0, 20, 40, 60])


def test_a_fitted_scale_says_how_rare_a_likeness_is():
    scale = fit_scale([SAME], [STRANGERS], IDENTICAL, fitted_on="drawn numbers")
    for share in (0.1, 0.01, 0.001):
        cosine = float(np.quantile(STRANGERS, 1 - share))
        assert scale.similarity(cosine) == pytest.approx(points(share), abs=0.1)
    assert scale.similarity(float(np.median(SAME))) == pytest.approx(90, abs=0.01)
    assert scale.similarity(1.0) == pytest.approx(100)


@pytest.mark.parametrize(
    "scale",
    [
        fit_scale([SAME], [STRANGERS], IDENTICAL, fitted_on=""),
        rough_scale(SAME[:20], STRANGERS[:500], dim=128, fitted_on=""),
        rough_scale(np.array([]), np.array([]), dim=128, fitted_on=""),
        fit_scale(
            [STRANGERS[:900]], [STRANGERS[:1000]], IDENTICAL, fitted_on="a model that tells nobody apart"
        ),
    ],
)
def test_a_higher_cosine_never_reads_less(scale: Scale):
    readings = [scale.similarity(float(cosine)) for cosine in np.linspace(-1.01, 1.01, 400)]
    assert readings == sorted(readings) and readings[0] >= 0 and readings[-1] == pytest.approx(100)


def test_a_rough_scale_takes_strangers_as_normal():
    scale = rough_scale(SAME, STRANGERS[:3000], dim=128, fitted_on="")
    assert scale.similarity(0.05 + 2.326 * 0.12) == pytest.approx(
        40, abs=2
    )  # one in a hundred lies 2.326 sigma out


def test_every_group_of_strangers_weighs_the_same():
    few, many = np.linspace(0.0, 0.4, 1_000), np.linspace(0.2, 0.6, 9_000)
    low, high = balanced_quantiles([few, many], [0.25, 0.75])
    assert low == pytest.approx(0.2, abs=0.01) and high == pytest.approx(0.4, abs=0.01)


def test_one_pair_of_strangers_in_a_thousand_passes_as_one_person():
    scale = fit_scale([SAME], [STRANGERS], IDENTICAL, fitted_on="")
    assert (scale.same <= STRANGERS).mean() == pytest.approx(0.001, rel=0.1)
    assert scale.score_at(60) == pytest.approx(scale.same, abs=1e-3)


def test_the_scores_of_faces_with_themselves_read_a_hundred():
    scale = fit_scale([SAME], [STRANGERS], np.linspace(1.0, 2.0, 1_000), fitted_on="")
    assert scale.similarity(1.05) == pytest.approx(100, abs=0.5) and scale.similarity(2.0) == 100


def test_a_scale_survives_json():
    scale = Scale((-1.0, 0.5, 1.0), (0.0, 60.0, 100.0), 0.4, "pairs")
    fields = {
        "cosines": [-1.0, 0.5, 1.0],
        "similarities": [0.0, 60.0, 100.0],
        "same": 0.4,
        "fitted_on": "pairs",
    }
    assert Scale.from_json(fields) == scale  # as versions before the score wrote it
    assert Scale.from_json(asdict(scale)) == scale
