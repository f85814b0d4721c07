"""Classifiers that name celebrities: detect faces, split the photos, train a network and report on it."""
