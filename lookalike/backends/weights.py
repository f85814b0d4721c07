"""DeepFace's weight files: where they lie, which one a model loads, and whether it is the one it should be.

DeepFace fetches them at first use, without a checksum. Of some we know the SHA-256 and refuse any other file:
half a download, an error page in its place, or an exchanged one. Of the others none is published: a file that
cannot be loaded is refused, and a gallery names the digest of the file it was built with and refuses another.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from lookalike.errors import WeightsError

SHA256 = {  # as OpenCV's model zoo, where DeepFace fetches them, lists them
    "face_detection_yunet_2023mar.onnx": "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    "face_recognition_sface_2021dec.onnx": "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
}
SUFFIXES = {"tensorflow": ".h5", "pytorch": ".pth"}  # by engine; of onnxruntime it is .onnx


def weights_folder() -> Path:
    """Return where DeepFace keeps weights."""
    return Path(os.environ.get("DEEPFACE_HOME", Path.home())) / ".deepface" / "weights"


def check_weights(stem: str) -> None:
    """Raise WeightsError where a file whose name begins so is not the one that we know; one that is not here,
    or that we do not know, passes.
    """
    for name, digest in SHA256.items():
        path = weights_folder() / name
        if name.startswith(stem) and path.is_file() and _digest(path) != digest:
            raise WeightsError(
                f"{path} is not the file that it should be, perhaps half a download; "
                "delete it and start again."
            )


def hash_weights(name: str, stem: str, engine: str) -> str:
    """Return the SHA-256 of the file that DeepFace loaded for the model `name`; raise WeightsError else."""
    folder = weights_folder()
    found = [*folder.glob(f"{stem}*{SUFFIXES.get(engine, '.onnx')}"), *folder.glob(f"{stem}*")]
    if not found:
        raise WeightsError(f"The weights of {name} are not in {folder}, so a gallery could not name them.")
    return _digest(found[0])


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
