"""What the other modules exchange: people, portraits, and what became of each name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


@dataclass(frozen=True)
class Person:
    """A celebrity whose portrait is wanted.

    `facts` may hold field, gender, country and born, as in `lookalike.finder.Match.about`. `version` is a
    string that changes with the model or with the person's rows in the gallery: a result for another version
    does not count.
    """

    name: str
    facts: Mapping[str, str | int] = field(default_factory=dict)
    version: str = ""


@dataclass(frozen=True)
class Portrait:
    """A verified picture of a person, and what its licence asks for.

    `image` is a thumbnail of the face as WebP. `credit` is the author, `licence` the licence's short name,
    `licence_url` its address ("" where it has none), and `source` the address of the original's page.
    """

    name: str
    image: bytes = field(repr=False)
    credit: str
    licence: str
    licence_url: str
    source: str


class Verdict(StrEnum):
    """What became of a name."""

    PICTURED = "pictured"
    NO_ARTICLE = "no article"
    NO_FREE_PICTURE = "no free picture"
    ANOTHER_PERSON = "another person"
    NO_FACE = "no face"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Outcome:
    """The result for one name: its portrait, or why there is none.

    `lasting` is False if trying again soon may give another result.
    """

    name: str
    verdict: Verdict
    reason: str = ""
    portrait: Portrait | None = None
    lasting: bool = True

    def __str__(self) -> str:
        return f"{self.name}: {self.verdict}{f' ({self.reason})' if self.reason else ''}"


class Portraits(Protocol):
    """Gives portraits to the page."""

    def portrait(self, person: Person) -> Portrait | None:
        """Return the portrait of a person, None if there is none or none yet. It does not wait."""
        ...
