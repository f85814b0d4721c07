"""Facts about people, from the columns of a source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from lookalike.names import clean_name
from lookalike.sources.records import Facts

FACT_COLUMNS = tuple(each.name for each in fields(Facts))
GENDERS = {"female": "woman", "f": "woman", "male": "man", "m": "man"}
YEAR = re.compile(r"-?\d{1,4}(?!\d)")  # at the start, as in 1815 and 1815-12-10


def facts_of(cells: Mapping[str, Any]) -> Facts | None:
    """Return the facts in the cells of a row, None where it has none; other columns are ignored."""
    texts = {
        column: clean_name(str(cells[column])) for column in FACT_COLUMNS if _is_known(cells.get(column))
    }
    year = YEAR.match(texts.pop("born", ""))
    gender = texts.pop("gender", "")
    facts = Facts(
        gender=GENDERS.get(gender.lower(), gender) or None,
        born=int(year.group()) if year else None,
        **{column: text or None for column, text in texts.items()},
    )
    return None if facts == Facts() else facts


def _is_known(cell: Any) -> bool:
    return cell is not None and cell == cell  # NaN is not equal to itself
