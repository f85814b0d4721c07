"""Which modules a file of Python imports."""

from __future__ import annotations

import ast
from pathlib import Path


def imported_names(file: Path) -> set[str]:
    """Return every dotted name that the file imports, inside functions too.

    `from a import b` counts as a and a.b.
    """
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names
