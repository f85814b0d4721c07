"""DeepFace in a new process, since it keeps its models and its home folder for the life of a process."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.commands import run_python

PRELUDE = "import sys, json; import numpy as np; from tests.support.drawing import draw_face\n"


def run_deepface(code: str, home: Path) -> dict[str, object]:
    """Run code in a new process, with `home` as DeepFace's home and the onnx engine; return the JSON that it
    prints last.
    """
    environment = {"DEEPFACE_HOME": str(home), "DEEPFACE_BACKEND_ENGINE": "onnx", "HOME": str(home)}
    result = run_python(PRELUDE + code, environment=environment)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])  # type: ignore[no-any-return]
