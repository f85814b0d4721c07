"""Results of a command as files: JSON, a Markdown table, and charts."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from lookalike.files import write_text

Table = Sequence[Sequence[str]]


def markdown(header: Sequence[str], rows: Table) -> str:
    """Return a Markdown table. Vertical bars and line breaks in cells are escaped."""
    lines = [list(header), ["---"] * len(header), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |"
        for line in lines
    )


def save_report(
    folder: Path,
    name: str,
    *,
    result: Any,
    table: str,
    pictures: Mapping[str, Callable[[], Figure]] | None = None,
) -> None:
    """Write `name.json`, `name.md` and `name-*.png` into `folder`, and print the table.

    The pictures are drawn last; one that fails is reported, and the results are there all the same.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_text(
        folder / f"{name}.json", json.dumps(result, indent=2, ensure_ascii=False, default=asdict) + "\n"
    )
    write_text(folder / f"{name}.md", table + "\n")
    print(f"{table}\n\n{folder / name}.json, .md", flush=True)
    for title, draw in (pictures or {}).items():
        path = folder / f"{name}-{title}.png"
        try:
            draw().savefig(path, dpi=110)
            print(path)
        except Exception as error:  # whatever drawing raises: the results are written
            print(f"{path} could not be drawn ({error}).", file=sys.stderr)


def percent(share: float, digits: int = 1) -> str:
    """Return a share 0..1 as a percentage, e.g. \"12.3 %\"."""
    return f"{100 * share:.{digits}f} %"
