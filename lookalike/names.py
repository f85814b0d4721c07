"""Names of people: how they are shown, and which spellings mean one person."""

from __future__ import annotations

import unicodedata

JOINERS = "\u200c\u200d"  # invisible, yet part of the spelling in Persian and Indian scripts
VOICED_MARKS = "\u3099\u309a"  # of kana: Nagata (ながた) and Nakata (なかた) are two people


def clean_name(text: str) -> str:
    """Return a name as it is shown: composed (NFC), spaces for underscores, no control characters."""
    spaced = " ".join(unicodedata.normalize("NFC", text).replace("_", " ").split())
    return "".join(c for c in spaced if c in JOINERS or not unicodedata.category(c).startswith("C")).strip()


def person_key(name: str) -> str:
    """Return `name` without case, accents, spaces and punctuation: the same key, the same person.

    Vowel signs of Indian scripts and the voiced-sound marks of kana make other names, and stay.
    """
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in decomposed if letter.isalnum() or _is_part_of_a_letter(letter))


def _is_part_of_a_letter(letter: str) -> bool:
    if letter in VOICED_MARKS:
        return True
    is_mark = unicodedata.category(letter) in ("Mc", "Mn")
    return is_mark and not unicodedata.name(letter, "").startswith("COMBINING")
