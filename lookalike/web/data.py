"""Model, detector and gallery in the form in which the browser reads them.

All files are compressed by gzip and end in `.bin`, so that no web server takes the compression for its own.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.errors import ImageError, MismatchError
from lookalike.faces.mtcnn_graphs import NETWORKS, build_graph
from lookalike.faces.thumbnail import QUALITY
from lookalike.files import BUNDLED
from lookalike.finder import Lookalikes
from lookalike.gallery.choices import FACTS
from lookalike.gallery.gallery import Gallery
from lookalike.images import read_image
from lookalike.models.embedder import Embeddings
from lookalike.models.registry import DEFAULT_MODEL

MODEL = DEFAULT_MODEL  # the only one that is small enough
ROW_STEPS, COHORT_STEPS = 1024, 127  # of the numbers of a unit vector; percentages move by up to 0.2 points
SCALE_STEPS = 2000  # between which the browser interpolates; the largest difference is 0.01 points
PHOTOS = "photos"  # the folder of thumbnails


def data_files(finder: Lookalikes, photos: Mapping[int, bytes]) -> dict[str, bytes]:
    """Return the files by their path: the detector's networks, the model, the gallery, `photos` of its rows.

    Raises MismatchError for a model that the browser cannot use, WeightsError without weights.
    """
    cohort = finder.calibration.cohort
    if finder.embedder.model.name != MODEL or cohort is None:
        raise MismatchError(f"The page in the browser needs a gallery of the model '{MODEL}'; choose one.")
    files = {f"{name}.onnx": with_half_weights(build_graph(name)) for name in NETWORKS} | {
        "compact.onnx": (BUNDLED / f"{MODEL}.onnx").read_bytes(),
        "model.json": _json(model_fields(finder)),
        "gallery.json": _json(gallery_fields(finder, photos)),
        "gallery": gallery_table(finder.gallery),
        "cohort": _whole(cohort.rows, COHORT_STEPS).astype(np.int8).tobytes(),
    }
    packed = {f"data/{name}.bin": gzip.compress(content, mtime=0) for name, content in files.items()}
    return packed | {f"{PHOTOS}/{row}.webp": photo for row, photo in photos.items()}


def model_fields(finder: Lookalikes) -> dict[str, Any]:
    """Return what the browser must know of the model: sizes, hash, and the percentages of scores in equal
    steps.
    """
    model, scale = finder.embedder.model, finder.scale
    scores = np.linspace(scale.scores[0], scale.scores[-1], SCALE_STEPS + 1)
    return {
        "sha256": finder.embedder.weights_hash,
        "dim": model.dim,
        "size": model.input_size[0],
        "scale": {
            "low": scale.scores[0],
            "high": scale.scores[-1],
            "similarities": [round(scale.similarity(score), 3) for score in scores],
            "same": scale.same,
        },
        "reach": _reach(finder),
    }


def _reach(finder: Lookalikes) -> list[float] | None:
    cohort = finder.calibration.cohort
    return None if cohort is None or cohort.reach is None else cohort.reach.tolist()


def gallery_fields(finder: Lookalikes, photos: Iterable[int]) -> dict[str, Any]:
    """Return the gallery without its numbers: names and facts by row, and whom to credit for which photo."""
    gallery = finder.gallery
    about = [gallery.about(row) for row in range(len(gallery))]
    return {
        "weights_hash": finder.embedder.weights_hash,
        "dim": gallery.settings.dim,
        "standing": asdict(gallery.settings.standing),
        "names": gallery.table["name"].to_pylist(),
        "facts": {fact: [each.get(fact) for each in about] for fact in FACTS},
        "photos": {row: _credit(gallery, row) for row in photos},
    }


def gallery_table(gallery: Gallery) -> bytes:
    """Return the rows' mean and spread, (rows, 2) float32, then their embeddings, (rows, dim) whole numbers
    of two bytes: first all low bytes, then all high bytes, which compress better apart.
    """
    columns = [gallery.table[name].to_numpy() for name in ("cohort_mean", "cohort_spread")]
    statistics = np.stack(columns, axis=1)  # (rows, 2)
    bytes_of_rows = _whole(gallery.embeddings, ROW_STEPS).astype("<i2").view(np.uint8)
    return statistics.astype("<f4").tobytes() + bytes_of_rows.reshape(-1, 2).T.tobytes()


def photo_files(gallery: Gallery) -> dict[int, bytes]:
    """Return the thumbnails by row as WebP, encoded anew by us: a gallery from outside may hold anything.

    A row whose thumbnail cannot be read has none.
    """
    photos = {}
    for row in range(len(gallery)):
        try:
            if photo := gallery.photo(row):
                file = io.BytesIO()
                Image.fromarray(read_image(photo)).save(file, "WEBP", quality=QUALITY)
                photos[row] = file.getvalue()
        except ImageError:
            continue
    return photos


def with_half_weights(graph: bytes) -> bytes:
    """Return the same network in fewer bytes: constants whose numbers all fit into float16 are stored so, and
    cast to float32 when it is loaded.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    model = onnx.load_from_string(graph)
    casts = []
    for constant in model.graph.initializer:
        name, values = constant.name, numpy_helper.to_array(constant)
        half = values.astype(np.float16)
        if np.array_equal(half, values):
            constant.CopyFrom(numpy_helper.from_array(half, f"{name}_half"))
            casts.append(helper.make_node("Cast", [f"{name}_half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return bytes(model.SerializeToString())


def _whole(rows: Embeddings, steps: int) -> NDArray[np.float32]:
    """Return rows of unit length in whole steps; the browser scales them to unit length again."""
    return np.rint(rows * steps)


def _credit(gallery: Gallery, row: int) -> str:
    credit = gallery.credit(row)
    return f"{credit.author}, {credit.licence}" if credit else ""


def _json(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()
