"""Text files of rows: CSV as spreadsheets write it, and JSON lines.

One rule for CSV: the text is UTF-8, or else Windows-1252, or UTF-16 with a mark at its start. Blank lines are
skipped. The separator is what a first line such as `sep=;` names, or else the most frequent of comma,
semicolon and tab in the header.
"""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lookalike.errors import SourceError

log = logging.getLogger(__name__)

SEPARATORS = ",;\t"
UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Row:
    """The cells of a row by column, without space around them; column names are in lower case.

    `fault` is why the cells cannot be trusted, empty where they can. `line` is the number of the row's last
    line in the file, counted from 1.
    """

    cells: dict[str, str]
    fault: str = ""
    line: int = 0


def read_csv(file: Path) -> tuple[list[str], list[Row]]:
    """Return the columns and the rows of a CSV with a header. Raises OSError and csv.Error."""
    whole = _decoded(file)
    text, separator = whole.lstrip("\r\n"), ""
    first, _, rest = text.partition("\n")
    if first.strip().strip('"').lower().startswith("sep="):
        separator, text = first.strip().strip('"')[4:] or ",", rest
    skipped = whole.count("\n") - text.count("\n")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator[:1] or _separator(text))
    filled = (line for line in lines if any(cell.strip() for cell in line))
    header = [cell.strip().lower() for cell in next(filled, [])]
    return header, [_row(header, line, skipped + lines.line_num) for line in filled]


def read_json_lines(file: Path) -> tuple[list[str], list[Row]]:
    """Return the columns and the rows of a file with one JSON object a line. Raises OSError, SourceError."""
    rows = [Row(cells) for cells in _objects(file)]
    return list(dict.fromkeys(column for row in rows for column in row.cells)), rows


def _objects(file: Path) -> Iterator[dict[str, str]]:
    for number, line in enumerate(file.read_bytes().splitlines(), start=1):
        if not line.strip():
            continue
        try:
            cells = dict(json.loads(line))
        except (ValueError, TypeError) as error:
            raise SourceError(f"{file}, line {number} is not a JSON object; correct or remove it.") from error
        yield {str(key).lower(): "" if cell is None else str(cell).strip() for key, cell in cells.items()}


def _decoded(file: Path) -> str:
    data = file.read_bytes()
    if data.startswith(UTF16_MARKS):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        log.warning("%s is not UTF-8; it is read as Windows-1252, so check the accents", file)
        return data.decode("cp1252", "replace")


def _separator(text: str) -> str:
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(SEPARATORS, key=header.count)


def _row(header: list[str], line: list[str], number: int) -> Row:
    cells = [cell.strip() for cell in line] + [""] * (len(header) - len(line))
    known = {column: cells[place] for place, column in reversed([*enumerate(header)])}
    return Row(known, "more cells than the header" if any(cells[len(header) :]) else "", number)
