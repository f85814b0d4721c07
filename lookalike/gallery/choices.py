"""By what people of a gallery can be chosen."""

from __future__ import annotations

from dataclasses import dataclass

from lookalike.errors import GalleryError

FACTS = ("native", "field", "gender", "country", "born", "known_for")  # of a person, where a gallery has them


@dataclass(frozen=True)
class Choice:
    """Whom somebody wants to see: people of this gender, category and region, None for all."""

    gender: str | None = None
    category: str | None = None
    region: str | None = None


EVERYONE = Choice()


@dataclass(frozen=True)
class Choices:
    """The genders, categories and regions that a gallery has, each sorted; empty where it has none."""

    genders: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    def check(self, choice: Choice) -> None:
        """Raise GalleryError, with what there is, unless the gallery has everything that is chosen."""
        there = {"gender": self.genders, "category": self.categories, "region": self.regions}
        for name, values in there.items():
            value = getattr(choice, name)
            if value is not None and not values:
                raise GalleryError(f"This gallery does not say the {name} of its people; leave {name} out.")
            if value is not None and value not in values:
                raise GalleryError(f"There is no {name} '{value[:60]}'; choose one of {', '.join(values)}.")
