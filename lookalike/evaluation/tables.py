"""The tables of the evaluation's commands, in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lookalike.evaluation.groups import Group
from lookalike.evaluation.markdown import markdown
from lookalike.evaluation.models import Cost
from lookalike.evaluation.percentage import PROMISES, GroupCheck
from lookalike.evaluation.verification import FALSE_ACCEPTS, SourceRates, Verification

ACCEPTS = [f"TAR at FAR {rate:g}" for rate in FALSE_ACCEPTS]


def verification_tables(figures: Mapping[str, tuple[Verification, Cost, Sequence[SourceRates]]]) -> str:
    """Return a table with a row for each model, and one with a row for each model and source."""
    rows = [[model, *_verify_row(found, price)] for model, (found, price, _) in figures.items()]
    sources = [[model, *_source_row(one)] for model, (_, _, rates) in figures.items() for one in rates]
    header = ["model", "accuracy", "ROC AUC", *ACCEPTS, "file", "per face", "memory"]
    source_header = ["model", "source", "photos", "people", "same-person pairs", *ACCEPTS]
    return f"{markdown(header, rows)}\n\n{markdown(source_header, sources)}"


def groups_table(groups: Sequence[Group]) -> str:
    """Return a table with a row for each group of photos."""
    header = ["group", "", "photos", "face found", "verification", "top-1 accuracy", "ROC AUC", "stability"]
    return markdown(header, [_group_row(one) for one in groups])


def percentage_tables(found: Mapping[str, Sequence[GroupCheck]]) -> str:
    """Return the tables of strangers, and of people with several photos, by cosine and by score."""
    kinds = list(found)
    titles = (*(f"{points:.0f} % or more" for points in PROMISES), "taken for one")
    header = ["strangers within", "faces", "pairs", *(f"{part}, {kind}" for kind in kinds for part in titles)]
    strangers, people = [], []
    for checks in zip(*found.values(), strict=True):
        one = checks[0]
        reached = [cell for check in checks for cell in _reached(check)]
        strangers.append([one.group, f"{one.faces:,}", f"{one.pairs:,}", *reached])
        if one.same_pairs:
            recognized = [cell for check in checks for cell in _recognized(check)]
            people.append([one.group, f"{one.same_pairs:,}", *recognized])
    titles_people = [f"{part}, {kind}" for kind in kinds for part in ("median (quartiles)", "recognized")]
    tables = markdown(header, strangers), markdown(["one person's photos", "pairs", *titles_people], people)
    return "\n\n".join(tables)


def _reached(row: GroupCheck) -> list[str]:
    figures = [*row.reached.values(), row.taken_for_one]
    return [f"{100 * one.share:.2f} % ({100 * one.low:.2f} to {100 * one.high:.2f})" for one in figures]


def _recognized(row: GroupCheck) -> list[str]:
    low, median, high = row.same_person
    return [f"{median:.0f} % ({low:.0f} to {high:.0f})", f"{100 * (row.recognized or 0):.1f} %"]


def _verify_row(found: Verification, price: Cost) -> list[str]:
    return [
        f"{100 * found.accuracy:.1f} % ± {100 * found.deviation:.1f}",
        f"{found.auc:.4f}",
        *(f"{100 * share:.1f} %" for share in found.true_accepts.values()),
        "" if price.megabytes is None else f"{price.megabytes:.1f} MB",
        f"{price.milliseconds:.1f} ms",
        f"{price.memory:.0f} MB",
    ]


def _source_row(rates: SourceRates) -> list[str]:
    return [
        f"{rates.source}, {'grey' if rates.grey else 'colour'}",
        f"{rates.photos:,}",
        f"{rates.people:,}",
        f"{rates.same_pairs:,}",
        *(f"{100 * share:.1f} %" for share in rates.true_accepts.values()),
        *([] if rates.true_accepts else ["no pairs"] * len(FALSE_ACCEPTS)),
    ]


def _group_row(one: Group) -> list[str]:
    shares = [_unless_none(share, "{:.1%}") for share in (one.found, one.accuracy, one.top1)]
    cosines = [_unless_none(one.auc, "{:.3f}"), _unless_none(one.steadiness, "{:.2f}")]
    return [one.group, one.value, str(one.photos), *shares, *cosines]


def _unless_none(figure: float | None, layout: str) -> str:
    return "" if figure is None else layout.format(figure).replace("%", " %")
