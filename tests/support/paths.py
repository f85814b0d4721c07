"""Where the tests find things: the project, and the folder of real faces where there is one."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
