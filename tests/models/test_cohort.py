"""The cohort and the scores that it normalizes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from lookalike.models.calibration import Calibration
from lookalike.models.cohort import Cohort, Mixture, fit_mixture, normalize
from lookalike.models.embedder import unit_rows
from lookalike.models.pairs import pair_scores
from lookalike.models.similarity import Scale

RANDOM = np.random.default_rng(0)
STRANGERS = unit_rows(RANDOM.normal(size=(600, 8)) + 3 * np.eye(8)[0])
COHORT = Cohort(STRANGERS, nearest=50)


def test_statistics_are_those_of_the_nearest_strangers():
    probe = unit_rows(RANDOM.normal(size=(1, 8)))
    nearest = np.sort(STRANGERS @ probe[0])[-50:]
    assert COHORT.statistics(probe)[0] == pytest.approx([nearest.mean(), nearest.std()], abs=1e-5)


def test_a_stranger_of_the_cohort_leaves_itself_out():
    nearest = np.sort(STRANGERS @ STRANGERS[7])[-51:-1]
    assert COHORT.statistics(STRANGERS, own=True)[7] == pytest.approx(
        [nearest.mean(), nearest.std()], abs=1e-5
    )


def test_statistics_do_not_depend_on_who_else_is_asked():
    alone = np.concatenate([COHORT.statistics(row[None]) for row in STRANGERS[:20]])
    np.testing.assert_allclose(COHORT.statistics(STRANGERS)[:20], alone, atol=1e-6)


def test_a_score_measures_a_cosine_in_units_of_both_faces():
    first, second = np.array([0.2, 0.1]), np.array([[0.4, 0.05], [0.2, 0.1]])
    scores = normalize(np.array([0.5, 0.5]), first, second)
    assert scores == pytest.approx([((0.5 - 0.2) / 0.1 + (0.5 - 0.4) / 0.05) / 2, 3.0])


def test_a_face_that_is_near_to_everybody_needs_a_higher_cosine():
    hub, outsider = COHORT.statistics(
        unit_rows(np.array([[1.0, 0, 0, 0, 0, 0, 0, 0], [-1.0, 1, 0, 0, 0, 0, 0, 0]]))
    )
    assert normalize(np.array(0.5), hub, hub) < normalize(np.array(0.5), outsider, outsider)


def test_a_mixture_looks_like_the_faces_it_was_fitted_to_and_survives_json():
    mixture = fit_mixture(STRANGERS)
    drawn = mixture.sample(2000)
    assert np.linalg.norm(drawn, axis=1) == pytest.approx(1, abs=1e-5)
    assert drawn.mean(axis=0) == pytest.approx(STRANGERS.mean(axis=0), abs=0.05)
    assert (drawn @ STRANGERS.T).max() < 0.9999  # nobody who was there is drawn
    again = Mixture.from_json(json.loads(json.dumps(mixture.to_json())), 8)
    assert np.array_equal(again.sample(100), mixture.sample(100))
    assert Cohort.of(again).digest == Cohort.of(mixture).digest


def test_a_reach_raises_the_mean_in_units_of_the_spread():
    probes, reach = STRANGERS[:4], RANDOM.normal(size=11).astype(np.float32)
    mean, spread = COHORT.statistics(probes).T
    raised = mean + spread * (probes @ reach[:8] + mean * reach[8] + spread * reach[9] + reach[10])
    found = replace(COHORT, reach=reach).statistics(probes)
    np.testing.assert_allclose(found, np.stack([raised, spread], axis=1), atol=1e-5)


def test_a_mixture_keeps_its_reach_and_another_reach_is_another_cohort():
    mixture = replace(
        fit_mixture(STRANGERS), reach=np.linspace(-1, 1, 11, dtype=np.float16).astype(np.float32)
    )
    again = Mixture.from_json(json.loads(json.dumps(mixture.to_json())), 8)
    assert np.array_equal(again.reach, mixture.reach)
    assert Cohort.of(again).digest == Cohort.of(mixture).digest
    assert Cohort.of(replace(mixture, reach=None)).digest != Cohort.of(mixture).digest


def test_too_few_faces_make_no_cohort():
    with pytest.raises(ValueError, match="too few"):
        fit_mixture(STRANGERS[:5])


@pytest.mark.parametrize(
    "broken",
    [
        lambda fields: fields | {"means": fields["means"][:-8]},
        lambda fields: fields | {"factor": "no base64!"},
        lambda fields: fields | {"weights": fields["factor"]},
        lambda fields: fields | {"reach": fields["factor"]},
        lambda fields: {},
    ],
)
def test_a_mixture_that_is_none_is_refused(broken):
    with pytest.raises((ValueError, KeyError)):
        Mixture.from_json(broken(fit_mixture(STRANGERS).to_json()), 8)


def test_a_calibration_survives_json():
    scale = Scale((-1.0, 0.5, 1.0), (0.0, 60.0, 100.0), 0.4, "pairs")
    with_cohort = Calibration(scale, fit_mixture(STRANGERS), 0.3)
    again = Calibration.from_json(json.loads(json.dumps(with_cohort.to_json())), 8)
    assert again and again.scale == scale and again.same_cosine == 0.3
    assert again.cohort and with_cohort.cohort and again.cohort.digest == with_cohort.cohort.digest
    without = Calibration.from_json(Calibration(scale).to_json(), 8)
    assert without and without.cohort is None
    assert Calibration.from_json({"sha256": "..."}, 8) is None


def test_pairs_of_one_person_and_of_strangers_are_told_apart_and_normalized():
    rows, names = STRANGERS[:5], ["ada", "bo", "ada", "", ""]
    same, different = pair_scores(rows, names)
    assert same == pytest.approx([rows[0] @ rows[2]]) and len(different) == 9
    statistics = COHORT.statistics(rows)
    (score,), _ = pair_scores(rows, names, statistics)
    assert score == pytest.approx(float(normalize(rows[0] @ rows[2], statistics[0], statistics[2])), abs=1e-5)
