"""Whom to credit for a picture, and under which licence it is shown."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Credit:
    """The author of a picture, its licence by its short name, and the address of the original's page.

    `licence_url` is the address of the licence, "" where it is not known.
    """

    author: str
    licence: str
    source: str
    licence_url: str = ""

    @property
    def shares_alike(self) -> bool:
        """Whether what is made from the picture must have the same licence."""
        return "-SA" in self.licence.upper() or self.licence.upper().startswith(("GFDL", "FAL"))


def licence_address(licence: str) -> str:
    """Return the address of a Creative Commons licence from its short name, "" for any other licence."""
    if re.fullmatch(r"CC0( 1\.0)?", licence):
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    found = re.fullmatch(r"CC (BY|BY-SA) (\d\.\d)", licence)
    return f"https://creativecommons.org/licenses/{found[1].lower()}/{found[2]}/" if found else ""
