"""The command line of app.py."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from lookalike.faces.detectors import DEFAULT_DETECTOR, DETECTORS
from lookalike.models.registry import DEFAULT_MODEL, MODELS

REFRESH = 10.0  # minutes: a removed person disappears soon, and a check costs one small request

# A visitor who chooses another match every second stays below it; camera frames are not counted.
SPACE_PER_MINUTE = 120


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options, from the command line or else from environment variables."""
    parser = argparse.ArgumentParser(
        prog="app.py", description="Serve the page that finds celebrity look-alikes."
    )
    parser.add_argument(
        "--gallery",
        default=os.environ.get("LOOKALIKE_GALLERY") or None,
        help="a gallery: a folder, or a dataset on the Hub (owner/name or owner/name@revision); or photos "
        "that build_gallery.py can read: a gallery is built from them while the page is served (default: "
        "LOOKALIKE_GALLERY, else the gallery that comes with the project)",
    )
    parser.add_argument(
        "--model",
        default=os.environ.get("LOOKALIKE_MODEL") or DEFAULT_MODEL,
        metavar="NAME",
        help=f"{', '.join(model.name for model in MODELS)}, or the folder of a training run "
        f"(default: LOOKALIKE_MODEL, else {DEFAULT_MODEL})",
    )
    parser.add_argument(
        "--detector",
        default=DEFAULT_DETECTOR,
        metavar="NAME",
        help=f"{', '.join(DETECTORS)} (default: %(default)s)",
    )
    parser.add_argument(
        "--refresh",
        type=float,
        default=os.environ.get("LOOKALIKE_REFRESH") or REFRESH,
        metavar="MINUTES",
        help="how often to check for a newer version of the gallery, which is then served without a restart; "
        "0 is never (default: LOOKALIKE_REFRESH, else %(default)s)",
    )
    parser.add_argument(
        "--per-minute",
        type=int,
        default=os.environ.get("LOOKALIKE_PER_MINUTE")
        or (SPACE_PER_MINUTE if "SPACE_ID" in os.environ else 0),
        metavar="N",
        help="the number of requests that one visitor may make in a minute; 0 is no limit "
        f"(default: LOOKALIKE_PER_MINUTE, else {SPACE_PER_MINUTE} on a Space and 0 elsewhere)",
    )
    parser.add_argument(
        "--portraits",
        choices=("on", "off"),
        default=os.environ.get("LOOKALIKE_PORTRAITS") or "on",
        help="show people without a photo in the gallery with one from Wikimedia Commons; only names of "
        "celebrities are sent (default: LOOKALIKE_PORTRAITS, else %(default)s)",
    )
    parser.add_argument(
        "--feedback",
        type=Path,
        default=os.environ.get("LOOKALIKE_FEEDBACK") or None,
        metavar="FILE",
        help="ask visitors whether a match looks like them, and count their answers in this JSON file; "
        "nothing of a photo, a name or a visitor is kept (default: LOOKALIKE_FEEDBACK, else nobody is asked)",
    )
    parser.add_argument(
        "--runtime",
        type=Path,
        default=os.environ.get("LOOKALIKE_RUNTIME") or None,
        metavar="FOLDER",
        help="the files of onnxruntime-web, unpacked from npm, for visitors whose photo stays on their "
        "device (default: LOOKALIKE_RUNTIME, else their browsers load them from a content network)",
    )
    parser.add_argument(
        "--share", action="store_true", help="also create a public link that works for a week"
    )
    parser.add_argument("--mcp", action="store_true", help="also serve language models, over MCP")
    options = parser.parse_args(arguments)
    if options.portraits not in ("on", "off"):  # argparse does not check defaults
        parser.error("LOOKALIKE_PORTRAITS must be on or off")
    return options
