"""DeepFace's weight files: their folder, the file of a model, and checks of their content.

DeepFace downloads them at first use, without a checksum. Where a SHA-256 is published, any other file is
refused, e.g. an incomplete download or an error page. For the other files there is none: they are refused if
they cannot be loaded, and a gallery stores the hash of the file that it was built with. dlib's weights come
inside a package from PyPI and are copied from there.
"""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from lookalike.errors import WeightsError
from lookalike.files import atomic_write, sha256_of

DLIB = "dlib_face_recognition_resnet_model_v1.dat"
SHA256 = {  # from OpenCV's model zoo, where DeepFace downloads them, and of dlib's file in its package
    DLIB: "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    "face_detection_yunet_2023mar.onnx": "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    "face_recognition_sface_2021dec.onnx": "0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
}
SUFFIXES = {"tensorflow": ".h5", "pytorch": ".pth"}  # by engine; onnxruntime's is .onnx


def weights_folder() -> Path:
    """Return the folder where DeepFace keeps weights."""
    return Path(os.environ.get("DEEPFACE_HOME", Path.home())) / ".deepface" / "weights"


def check_weights(stem: str) -> None:
    """Raise WeightsError if a file whose name starts with `stem` has not its published SHA-256.

    Missing files, and files without a published SHA-256, pass.
    """
    for name, digest in SHA256.items():
        path = weights_folder() / name
        if name.startswith(stem) and path.is_file() and sha256_of(path) != digest:
            raise WeightsError(
                f"{path} is not the expected file, perhaps an incomplete download; delete it and start again."
            )


def copy_packaged_weights(stem: str) -> None:
    """Copy weights whose name starts with `stem` from an installed package to where DeepFace looks for them,
    so that it downloads nothing; do nothing if they are there, or for weights that no package has.

    Raises WeightsError if they cannot be copied.
    """
    target = weights_folder() / DLIB
    package = find_spec("face_recognition_models")  # found, not imported: it needs an old setuptools
    if not DLIB.startswith(stem) or package is None or package.origin is None or target.is_file():
        return
    try:
        with atomic_write(target) as partial:
            shutil.copyfile(Path(package.origin).parent / "models" / DLIB, partial)
    except OSError as error:
        raise WeightsError(
            f"{target} cannot be written ({error.strerror}); set DEEPFACE_HOME to a folder that can."
        ) from error


def hash_weights(name: str, stem: str, engine: str) -> str:
    """Return the SHA-256 of the file that DeepFace loaded for the model `name`; raise WeightsError
    without one.
    """
    folder = weights_folder()
    found = [*folder.glob(f"{stem}*{SUFFIXES.get(engine, '.onnx')}"), *folder.glob(f"{stem}*")]
    if not found:
        raise WeightsError(
            f"There is no file with the weights of {name} in {folder}, so a gallery cannot refer to it."
        )
    return sha256_of(found[0])
