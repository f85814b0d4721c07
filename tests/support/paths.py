"""The folder of the project, and the shared folder with real photos, if there is one."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"
