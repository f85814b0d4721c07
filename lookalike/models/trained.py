"""Networks from the training room as models: a run's folder is given where a model's name is.

A run holds `embedder.onnx` and `embedder.json`; the JSON names the model, its sizes, and the file's SHA-256.
"""

from __future__ import annotations

import json
from pathlib import Path

from lookalike.errors import UnknownModelError, WeightsError
from lookalike.models.embedders import MODELS, Embedder, Model, OnnxEmbedder, find_model, load_embedder

EMBEDDER_FILE = "embedder.onnx"


def find_any_model(spec: str) -> Model:
    """Return the model that is registered under the name `spec`, or the one in the run's folder `spec`.

    Raises UnknownModelError where it is neither, WeightsError where a run has no network to serve yet.
    """
    folder = Path(spec)
    if not is_run(spec):
        return find_model(spec)
    try:
        about = json.loads(_settings(folder).read_text(encoding="utf-8"))
        width, height = about["input_size"]
        return Model(about["name"], about["dim"], (width, height), about["alignment"], "", "unknown")
    except FileNotFoundError as error:
        raise WeightsError(
            f"{folder} holds no {EMBEDDER_FILE} with its JSON; a run of the training room has them when it "
            "has come to its end."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{_settings(folder)} cannot be read; train the run again.") from error


def load_any_embedder(spec: str, *, threads: int = 2) -> Embedder:
    """Return the embedder of `find_any_model(spec)`, see `load_embedder` for `threads`.

    Raises UnknownModelError or WeightsError.
    """
    if not is_run(spec):
        return load_embedder(spec, threads=threads)
    return OnnxEmbedder(Path(spec) / EMBEDDER_FILE, find_any_model(spec), threads=threads)


def is_run(spec: str) -> bool:
    """Say whether a model is given as a folder; raise UnknownModelError where a path leads nowhere.

    A registered name is that model even where a folder is called so, as a gallery's folder of its table is.
    """
    if any(spec == model.name for model in MODELS):
        return False
    if Path(spec).is_dir():
        return True
    if "/" in spec:
        raise UnknownModelError(f"There is no run in {spec}; name a run's folder, or a model.")
    return False


def _settings(folder: Path) -> Path:
    return (folder / EMBEDDER_FILE).with_suffix(".json")
