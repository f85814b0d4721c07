"""A table that the attack tests print."""

from __future__ import annotations

from typing import Any


class Table:
    """Rows with attacks and their results, printed when the attacks have ended."""

    def __init__(self, *heads: str) -> None:
        self._rows = [heads, tuple("---" for _ in heads)]

    def row(self, *cells: object) -> None:
        self._rows.append(tuple(str(cell) for cell in cells))

    def show(self, request: Any) -> None:
        """Print to pytest's terminal in spite of its output capture."""
        plugins = request.config.pluginmanager
        terminal = plugins.getplugin("terminalreporter")
        with plugins.getplugin("capturemanager").global_and_fixture_disabled():
            terminal.write_line("")
            for row in self._rows:
                terminal.write_line(f"| {' | '.join(row)} |")
