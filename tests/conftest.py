"""What the tests share: small galleries, a fake model and a fake detector, and where the real faces are."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "tests"))

SHARED = ROOT.parent / "shared"


@pytest.fixture(autouse=True, scope="session")
def no_stray_randomness() -> None:
    np.random.seed(0)


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of real photos, where there is one."""
    folder = SHARED / "data" / "photos"
    if not folder.is_dir():
        pytest.skip("the real photos are not here")
    return folder
