"""Metrics on pairs that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.evaluation.metrics import balanced_accuracy, best_threshold, equal_error, pair_cosines, roc_auc
from lookalike.evaluation.percentage import few_each, fit
from lookalike.evaluation.retrieval import Retrieval, summarize
from lookalike.evaluation.verification import Pair, verify

SAME, DIFFERENT = np.array([0.9, 0.8, 0.3]), np.array([0.5, 0.1, 0.0, -0.2])


def test_each_unordered_pair_counts_once_on_its_side():
    rows = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
    same, different = pair_cosines(rows, ["ada", "bo", "ada"])
    assert same.tolist() == pytest.approx([0.6]) and sorted(different.tolist()) == pytest.approx([0.0, 0.8])


def test_balanced_accuracy_weighs_both_sides_alike():
    assert balanced_accuracy(SAME, DIFFERENT, 0.4) == pytest.approx((2 / 3 + 3 / 4) / 2)


def test_the_best_threshold_lies_in_the_middle_of_the_best_gap():
    assert best_threshold(SAME, DIFFERENT) == pytest.approx(0.2)
    assert balanced_accuracy(SAME, DIFFERENT, 0.2) == pytest.approx((1 + 3 / 4) / 2)


def test_auc_is_the_share_of_pairs_in_order():
    assert roc_auc(SAME, DIFFERENT) == pytest.approx(11 / 12)


def test_equal_error_is_where_both_errors_meet():
    threshold, error = equal_error(np.array([0.2, 0.6, 0.7, 0.8]), np.array([0.0, 0.1, 0.3, 0.65]))
    assert 0.2 < threshold <= 0.6 and error == pytest.approx(0.25)


def test_verification_takes_each_folds_threshold_from_the_others():
    pairs = [Pair("a", "b", same, fold) for fold in (0, 1) for same in (True, True, False, False)]
    perfect = verify(np.array([0.9, 0.8, 0.1, 0.2] * 2, np.float32), pairs)
    assert (perfect.accuracy, perfect.auc, perfect.error) == (1.0, 1.0, 0.0)
    shifted = verify(np.array([0.9, 0.8, 0.1, 0.2, 0.3, 0.25, -0.3, -0.4], np.float32), pairs)
    assert shifted.accuracy == pytest.approx(0.5)  # right by its own threshold, wrong by the other fold's


def test_a_scale_fitted_on_half_of_the_people_holds_on_the_other_half():
    random = np.random.default_rng(2)
    people = [f"p{i // 4}" for i in range(1200)]
    centres = np.repeat(random.normal(size=(300, 16)), 4, axis=0)
    rows = centres + 0.4 * random.normal(size=centres.shape)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    scale, check = fit(rows, people, threshold=0.5, fitted_on="drawn people")
    assert check.reached[20.0] == pytest.approx(0.1, rel=0.15) and check.reached[40.0] == pytest.approx(
        0.01, rel=0.4
    )
    assert check.same_person == pytest.approx(90, abs=1) and scale.fitted_on == "drawn people"


def test_nobody_with_many_photos_stands_for_everybody():
    assert few_each(["ada"] * 20 + ["bo"]) == [*range(8), 20]


def test_a_photo_without_a_face_counts_as_wrong():
    assert summarize([1, 3, 0, None]) == Retrieval(photos=4, with_face=3, top1=0.25, top5=0.5)
