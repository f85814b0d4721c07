"""The percentage: rarity among strangers up to 60, one person at 90, the identical embedding at 100."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.models.similarity import Scale, fit_scale, points, rough_scale

RANDOM = np.random.default_rng(0)
STRANGERS = RANDOM.normal(0.05, 0.12, 200_000)
SAME = RANDOM.normal(0.6, 0.1, 5_000)


def test_every_factor_of_ten_gives_twenty_points():
    assert [points(share) for share in (1, 0.1, 0.01, 0.001)] == pytest.approx([0, 20, 40, 60])


def test_a_fitted_scale_says_how_rare_a_likeness_is():
    scale = fit_scale(SAME, STRANGERS, threshold=0.3, fitted_on="drawn numbers")
    for share in (0.1, 0.01, 0.001):
        cosine = float(np.quantile(STRANGERS, 1 - share))
        assert scale.similarity(cosine) == pytest.approx(points(share), abs=0.1)
    assert scale.similarity(float(np.median(SAME))) == pytest.approx(90)
    assert scale.similarity(1.0) == pytest.approx(100)


@pytest.mark.parametrize(
    "scale",
    [
        fit_scale(SAME, STRANGERS, threshold=0.3, fitted_on=""),
        rough_scale(SAME[:20], STRANGERS[:500], dim=128, fitted_on=""),
        rough_scale(np.array([]), np.array([]), dim=128, fitted_on=""),
        fit_scale(
            STRANGERS[:900], STRANGERS[:1000], threshold=0.3, fitted_on="a model that tells nobody apart"
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


def test_a_scale_survives_json():
    scale = Scale((-1.0, 0.5, 1.0), (0.0, 60.0, 100.0), 0.4, "pairs")
    fields = {
        "cosines": [-1.0, 0.5, 1.0],
        "similarities": [0.0, 60.0, 100.0],
        "same": 0.4,
        "fitted_on": "pairs",
    }
    assert Scale.from_json(fields) == scale
