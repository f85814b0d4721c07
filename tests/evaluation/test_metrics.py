"""Metrics on a few pairs that can be checked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike.evaluation.metrics import balanced_accuracy, best_threshold, equal_error, roc_auc, true_accepts
from lookalike.models.pairs import pair_scores

SAME, DIFFERENT = np.array([0.9, 0.8, 0.3]), np.array([0.5, 0.1, 0.0, -0.2])


def test_each_unordered_pair_counts_once():
    rows = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
    same, different = pair_scores(rows, ["ada", "bo", "ada"])
    assert same.tolist() == pytest.approx([0.6]) and sorted(different.tolist()) == pytest.approx([0.0, 0.8])


def test_balanced_accuracy_weighs_same_and_different_pairs_equally():
    assert balanced_accuracy(SAME, DIFFERENT, 0.4) == pytest.approx((2 / 3 + 3 / 4) / 2)


def test_the_best_threshold_is_in_the_middle_of_the_best_gap():
    assert best_threshold(SAME, DIFFERENT) == pytest.approx(0.2)
    assert balanced_accuracy(SAME, DIFFERENT, 0.2) == pytest.approx((1 + 3 / 4) / 2)


def test_auc_is_the_share_of_correctly_ordered_pairs():
    assert roc_auc(SAME, DIFFERENT) == pytest.approx(11 / 12)


def test_equal_error_is_where_both_error_rates_are_equal():
    threshold, error = equal_error(np.array([0.2, 0.6, 0.7, 0.8]), np.array([0.0, 0.1, 0.3, 0.65]))
    assert 0.2 < threshold <= 0.6 and error == pytest.approx(0.25)


def test_a_false_accept_rate_is_never_exceeded():
    different = np.linspace(0, 0.99, 100)
    accepted = true_accepts(np.array([0.5, 0.985, 1.0]), different, [0.5, 0.01, 0.001])
    assert accepted == {0.5: 1.0, 0.01: pytest.approx(2 / 3), 0.001: pytest.approx(1 / 3)}
