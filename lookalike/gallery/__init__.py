"""The gallery: its table, its settings, its files, and the search."""
