"""Datasets of photos as streams of records, and their inspection."""
