"""DeepFace in a process of its own: it keeps its models and its home for as long as the process lives."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.support.paths import ROOT


def run_deepface(code: str, home: Path) -> dict[str, object]:
    """Run code in a process of its own, where DeepFace has `home` and the onnx engine, and return the JSON
    it prints.
    """
    environment = {
        "DEEPFACE_HOME": str(home),
        "DEEPFACE_BACKEND_ENGINE": "onnx",
        "PATH": "/usr/bin",
        "HOME": str(home),
    }
    prelude = (
        "import sys, json; sys.path[:0] = ['.']; import numpy as np\n"
        "from tests.support.drawing import draw_face\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", prelude + code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])  # type: ignore[no-any-return]
