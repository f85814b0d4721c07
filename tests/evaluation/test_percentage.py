"""The cohort, the fit of the percentage, and its check by groups."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.errors import SourceError
from lookalike.evaluation.percentage import calibrate, check, cohort_faces
from lookalike.evaluation.population import (
    Population,
    groups_of,
    halves,
    pair_masks,
    score_matrix,
    within_group_mask,
)
from lookalike.evaluation.reach import fit_reach
from lookalike.models.cohort import Cohort, Mixture, fit_mixture
from lookalike.models.embedder import unit_rows
from lookalike.models.similarity import Scale

DIM = 24


def population(people: int, *, closeness: dict[str, float], photos: int = 1, seed: int = 0) -> Population:
    """Drawn people of several groups; those of one group share a direction, more or less closely."""
    random = np.random.default_rng(seed)
    rows, labels, names = [], [], []
    for place, (race, shared) in enumerate(closeness.items()):
        for person in range(people):
            centre = random.normal(size=DIM) / DIM**0.5 + shared * np.eye(DIM)[place]
            for _ in range(photos):
                rows.append(centre + 0.2 * random.normal(size=DIM) / DIM**0.5)
                labels.append({"race": race, "gender": "FM"[person % 2], "age": str(20 + person % 60)})
                names.append(f"{race} {person}" if photos > 1 else "")
    embeddings = unit_rows(np.array(rows))
    count = len(rows)
    return Population(
        embeddings,
        np.eye(count, dtype=np.float32),
        tuple(names),
        ("drawn",) * count,
        tuple(labels),
        np.zeros(count),
    )


NEAR_AND_FAR = {"near": 1.0, "far": 0.3}


def test_a_cohort_makes_groups_reach_forty_percent_equally_often():
    mixture = fit_mixture(cohort_faces(population(300, closeness=NEAR_AND_FAR, seed=1)))
    fitting = population(150, closeness=NEAR_AND_FAR, photos=2, seed=2)
    testing = population(250, closeness=NEAR_AND_FAR, seed=3)

    def spread(with_cohort: bool) -> float:
        calibration = calibrate(fitting, mixture if with_cohort else None, fitted_on="drawn people")
        scored = testing.with_cohort(Cohort.of(mixture)) if with_cohort else testing
        shares = {one.group: one.reached[40.0].share for one in check(scored, calibration.scale)}
        return shares["drawn Near"] / max(shares["drawn Far"], 1e-6)

    assert spread(with_cohort=False) > 5 > spread(with_cohort=True)


def test_a_reach_evens_the_groups_that_mean_and_spread_leave_uneven():
    groups = {"a": 1.2, "b": 0.9, "c": 0.4}
    mixture = fit_mixture(cohort_faces(population(100, closeness={"a": 0.3, "b": 0.9, "c": 0.4}, seed=1)))
    fitting, testing = population(300, closeness=groups, seed=2), population(300, closeness=groups, seed=3)

    def highest(mixture: Mixture) -> np.ndarray:
        """Return the score that a hundredth of each group's strangers exceed."""
        scored = testing.with_cohort(Cohort.of(mixture))
        parts = [scored.take(members) for members in list(groups_of(scored).values())[:3]]
        return np.array([np.quantile(score_matrix(part)[pair_masks(part)[1]], 0.99) for part in parts])

    assert np.ptp(highest(fit_reach(fitting, mixture))) < 0.5 * np.ptp(highest(mixture))


def test_too_few_strangers_have_no_reach():
    mixture = fit_mixture(cohort_faces(population(100, closeness=NEAR_AND_FAR)))
    assert fit_reach(population(10, closeness=NEAR_AND_FAR), mixture).reach is None


def test_a_fitted_percentage_keeps_its_promises_on_others():
    fitting = population(200, closeness=NEAR_AND_FAR, photos=2, seed=4)
    calibration = calibrate(fitting, None, fitted_on="drawn people")
    testing = population(200, closeness=NEAR_AND_FAR, photos=2, seed=5)
    checks = [one for one in check(testing, calibration.scale) if one.group.startswith("drawn")]
    assert np.mean([one.reached[20.0].share for one in checks]) == pytest.approx(0.1, rel=0.3)
    assert np.mean([one.taken_for_one.share for one in checks]) < 0.005
    assert all(one.reached[40.0].low <= one.reached[40.0].share <= one.reached[40.0].high for one in checks)
    assert np.mean([one.same_person[1] for one in checks]) == pytest.approx(90, abs=3)


def test_groups_are_adults_by_source_and_race_and_then_all_by_gender_age_and_sharpness():
    found = groups_of(population(60, closeness={"a": 0.5, "b": 0.5}))
    assert list(found)[:4] == ["drawn A", "drawn B", "women", "men"]
    assert [len(found[title]) for title in ("drawn A", "women", "under 18")] == [60, 60, 0]


def test_strangers_of_two_groups_are_not_compared():
    scored = population(40, closeness={"a": 0.5, "b": 0.5})
    inside = within_group_mask(scored)
    assert inside[0, 39] and not inside[0, 40]
    women = next(
        one for one in check(scored, Scale((-1.0, 1.0), (0.0, 100.0), 0.5, "")) if one.group == "women"
    )
    assert women.faces == 40 and women.pairs == 2 * 20 * 19 / 2


def test_two_unnamed_photos_that_the_teacher_finds_alike_are_no_pair():
    twins = population(2, closeness={"a": 0.5})
    twins.teacher[1] = twins.teacher[0]
    same, strangers = pair_masks(twins)
    assert same.sum() == 0 and strangers.sum() == 0


def test_scores_of_pairs_do_not_depend_on_the_order():
    scored = population(40, closeness={"a": 0.5})
    scored = scored.with_cohort(Cohort(scored.embeddings, nearest=10))
    matrix = score_matrix(scored)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-4)


def test_named_people_are_divided_and_unnamed_ones_stay_together():
    named, unnamed = population(40, closeness={"a": 0.5}, photos=2), population(10, closeness={"a": 0.5})
    first, rest = halves(named)
    assert not set(first.people) & set(rest.people) and 10 < len(set(first.people)) < 30
    assert len(halves(unnamed)[0]) == 0 and len(halves(unnamed)[1]) == 10


def test_people_with_one_photo_each_cannot_fit_a_percentage():
    with pytest.raises(SourceError, match="two photos of one person"):
        calibrate(population(30, closeness={"a": 0.5}), None, fitted_on="")
