"""The folder that a build writes into, and what the command prints of it."""

from __future__ import annotations

from pathlib import Path

from lookalike.building.account import REJECTED_FILE, spellings_in_words
from lookalike.building.pipeline import Built
from lookalike.errors import GalleryError
from lookalike.files import check_writable
from lookalike.gallery.storage import models_in
from lookalike.gallery.work_folder import WORK

INSPECTION = "inspection"  # the folder of an inspection below --output


def check_output(folder: Path) -> None:
    """Raise GalleryError unless a gallery can be written into `folder`; leave nothing there.

    It may hold a gallery, what an interrupted build left, or an inspection.
    """
    others = folder.is_dir() and {path.name for path in folder.glob("[!.]*")} - {INSPECTION}
    if others and not models_in(folder) and not (folder / WORK).is_dir():
        raise GalleryError(
            f"{folder} holds other files; choose a new folder, an empty one, or that of a gallery."
        )
    try:
        check_writable(folder)
    except OSError as error:
        raise GalleryError(
            f"{folder} cannot be written ({error.strerror}); choose another folder."
        ) from error


def account_lines(built: Built, folder: Path) -> list[str]:
    """Return the account of all records of a build into `folder`, in lines."""
    names, rows = len(built.gallery.names), len(built.gallery)
    lines = [f"{names:,} names in {rows:,} rows written to {folder}", str(built.counts)]
    if built.spellings:
        lines.append(spellings_in_words(built.spellings))
    if built.rejections:
        lines.append(f"See {folder / REJECTED_FILE} for each record that was left out")
    return lines
