"""Results of a command as files: JSON, a Markdown table, and charts."""

from __future__ import annotations

import json
from collections.abc import Sequence
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
    folder: Path, name: str, *, result: Any, table: str, pictures: dict[str, Figure] | None = None
) -> None:
    """Write `name.json`, `name.md` and `name-*.png` into `folder`, and print the table."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(
        folder / f"{name}.json", json.dumps(result, indent=2, ensure_ascii=False, default=asdict) + "\n"
    )
    write_text(folder / f"{name}.md", table + "\n")
    for title, figure in (pictures or {}).items():
        figure.savefig(folder / f"{name}-{title}.png", dpi=110)
    print(f"{table}\n\n{folder / name}.json, .md" + "".join(f", -{title}.png" for title in pictures or {}))


def percent(share: float, digits: int = 1) -> str:
    """Return a share 0..1 as a percentage, e.g. \"12.3 %\"."""
    return f"{100 * share:.{digits}f} %"
