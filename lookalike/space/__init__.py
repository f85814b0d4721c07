"""The page: what visitors see, and the two endpoints that scripts call."""

from __future__ import annotations

import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported
# Gradio asks matplotlib for its backend at every event; where none is set, that loads all of pyplot.
os.environ.setdefault("MPLBACKEND", "agg")
