"""A command's results as files: JSON for programs, a Markdown table for people, pictures beside them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

Table = Sequence[Sequence[str]]


def markdown(header: Sequence[str], rows: Table) -> str:
    """Return a Markdown table; bars in a cell are escaped, so that a name cannot break it."""
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
    (folder / f"{name}.json").write_text(
        json.dumps(result, indent=2, ensure_ascii=False, default=_plain) + "\n", encoding="utf-8"
    )
    (folder / f"{name}.md").write_text(table + "\n", encoding="utf-8")
    for title, figure in (pictures or {}).items():
        figure.savefig(folder / f"{name}-{title}.png", dpi=110)
    print(f"{table}\n\n{folder / name}.json, .md" + "".join(f", -{title}.png" for title in pictures or {}))


def percent(share: float, digits: int = 1) -> str:
    """Return a share 0..1 as people read it."""
    return f"{100 * share:.{digits}f} %"


def _plain(value: Any) -> Any:
    return asdict(value)
