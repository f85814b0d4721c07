"""People's names: how to display them, and which spellings mean the same person."""

from __future__ import annotations

import unicodedata

MAX_LETTERS = 10_000  # no name and no description has as many, but a file may
JOINERS = "\u200c\u200d"  # invisible, but part of the spelling in Persian and Indian scripts
VOICED_MARKS = "\u3099\u309a"  # in kana: Nagata (ながた) and Nakata (なかた) are different names


def clean_name(text: str) -> str:
    """Return a name for display: composed (NFC), with spaces for underscores, without control characters.

    What follows the first MAX_LETTERS is left out.
    """
    spaced = " ".join(unicodedata.normalize("NFC", text[:MAX_LETTERS]).replace("_", " ").split())
    return "".join(c for c in spaced if c in JOINERS or not unicodedata.category(c).startswith("C")).strip()


def person_key(name: str) -> str:
    """Return a key that is the same for all spellings of a person's name.

    It ignores case, accents, spaces and punctuation. It keeps vowel signs of Indian scripts and the
    voiced-sound marks of kana, which distinguish names.
    """
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in decomposed if letter.isalnum() or _is_part_of_a_letter(letter))


def _is_part_of_a_letter(letter: str) -> bool:
    if letter in VOICED_MARKS:
        return True
    is_mark = unicodedata.category(letter) in ("Mc", "Mn")
    return is_mark and not unicodedata.name(letter, "").startswith("COMBINING")
