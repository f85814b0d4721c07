"""Datasets of photos as streams of records."""
