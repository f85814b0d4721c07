"""The page: what visitors see, and the two endpoints that scripts call."""

from __future__ import annotations

import os

# Read when gradio is imported:
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault(
    "GRADIO_ANALYTICS_MAX_EVENTS", "1"
)  # else it remembers 10,000, and goes through them at each error
# Gradio asks matplotlib for its backend at every event; where none is set, that loads all of pyplot.
os.environ.setdefault("MPLBACKEND", "agg")
