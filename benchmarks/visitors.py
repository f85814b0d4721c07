"""What ordinary visitors get from a gallery: how close their first match is, and whether all get the same
names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lookalike.errors import SourceError
from lookalike.evaluation.markdown import markdown
from lookalike.evaluation.photos import few_each
from lookalike.evaluation.population import Population, groups_of, is_one_source
from lookalike.gallery.gallery import Gallery
from lookalike.models.similarity import Scale
from lookalike.names import person_key

SHOWN = 5  # names that the page shows
FEWEST_VISITORS = 40  # of a group, for a row


@dataclass(frozen=True)
class Visitors:
    """The visitors of one group: how many stand below the gallery's 10th percentile and above its 90th
    (shares, 0..1), the median percentile, and the quartiles of the percentages of their first matches.
    """

    group: str
    visitors: int
    below: float
    median: float
    above: float
    first_match: tuple[float, ...]


def visit(population: Population, gallery: Gallery, scale: Scale) -> tuple[list[Visitors], Counter[str]]:
    """Look everybody up; return a row for each group, and how often each name was among the first SHOWN.

    Somebody who is in the gallery is no visitor. Raises SourceError where no group has FEWEST_VISITORS.
    """
    known = {person_key(name) for name in gallery.names}
    people = few_each(population.people)
    rows: list[Visitors] = []
    names: Counter[str] = Counter()
    for group, members in groups_of(population).items():
        if not is_one_source(group):
            continue
        chosen = [place for place in np.intersect1d(members, people) if population.people[place] not in known]
        if len(chosen) < FEWEST_VISITORS:
            continue
        probes = population.embeddings[chosen]
        hits = [gallery.search(probe, count=SHOWN) for probe in probes]
        names.update(hit.name for found in hits for hit in found)
        firsts = [found[0].score for found in hits]
        standing = np.array(
            [gallery.standing(score, probe) or 0.0 for score, probe in zip(firsts, probes, strict=True)]
        )
        quartiles = np.quantile(firsts, (0.25, 0.5, 0.75))
        rows.append(
            Visitors(
                group,
                len(chosen),
                float((standing < 0.1).mean()),
                float(np.median(standing)),
                float((standing > 0.9).mean()),
                tuple(scale.similarity(float(score)) for score in quartiles),
            )
        )
    if not rows:
        raise SourceError(
            f"No group has {FEWEST_VISITORS} visitors; give more photos of people who are tested."
        )
    return rows, names


def visitors_table(rows: Sequence[Visitors], names: Counter[str]) -> str:
    """Return both results as Markdown."""
    header = [
        "visitors",
        "photos",
        "below the 10th percentile",
        "median percentile",
        "above the 90th",
        "first match",
    ]
    table = markdown(
        header,
        [
            [
                row.group,
                str(row.visitors),
                f"{100 * row.below:.0f} %",
                f"{100 * row.median:.0f}",
                f"{100 * row.above:.0f} %",
                "{1:.0f} % ({0:.0f} to {2:.0f})".format(*row.first_match),
            ]
            for row in rows
        ],
    )
    total = sum(names.values())
    ((name, times),) = names.most_common(1)
    return (
        f"{table}\n\n{len(names):,} names were shown {total:,} times; the commonest, {name}, {times:,} times."
    )
