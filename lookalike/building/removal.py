"""A person out of a gallery that was built."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lookalike.building.card import models_in, write_card
from lookalike.errors import GalleryError
from lookalike.gallery.gallery import Gallery
from lookalike.names import person_key


def remove_from_folder(folder: Path, people: Sequence[str]) -> int:
    """Take people, however their names are spelt, out of every table in `folder`; return how many rows went.

    Raises GalleryError where none of them is in any table.
    """
    removed = 0
    for model in models_in(folder):
        gallery = Gallery.load(folder, model=model)
        shorter = take_out(gallery, people)
        if shorter is not None:
            shorter.save(folder)
            write_card(folder, shorter)
            removed += len(gallery) - len(shorter)
    if not removed:
        raise GalleryError(f"None of {', '.join(people)} is in a gallery at {folder}; check the spelling.")
    return removed


def take_out(gallery: Gallery, people: Sequence[str]) -> Gallery | None:
    """Return the gallery without these people, None where it holds none of them."""
    keys = {person_key(name) for name in people}
    return gallery.without(keys) if any(person_key(name) in keys for name in gallery.names) else None
