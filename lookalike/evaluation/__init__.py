"""Evaluation of models: verification, retrieval, groups, and percentages. Run `python -m
lookalike.evaluation --help`.

Training uses it too: splits, tables of aligned faces, perturbations, and metrics of classifiers.
"""
