"""The web page and its API.

page/           the page: its layout, its tabs and their callbacks
drawing/        the pictures and the HTML that it shows
api/            the two endpoints for scripts, and their report
middleware/     in front of gradio: request filter, rate limit, uploads, decoders, cleanup, shutdown
finders.py      the served gallery and its models; model_loading.py and refresh.py load others beside it
private_files.py  the files of the static site, for visitors whose photo stays on their device
components.py   gradio components that keep no photo; messages.py turns errors into sentences
gradio_internals/  the only files that touch private parts of gradio
texts/          what visitors read, one file a language; labels.py gives it to components
"""

from __future__ import annotations

import os

# Gradio reads these when it is imported.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# It would remember 10,000 events and go through all of them at each error.
os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "1")
# It asks matplotlib for its backend at every event, which loads all of pyplot if none is set.
os.environ.setdefault("MPLBACKEND", "agg")
