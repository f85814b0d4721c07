"""Weights on disk while a run is under way: written beside the old ones, and put in their place when they are
whole, so that a full disk or a kill loses the pass and nothing before it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import keras
import numpy as np
from numpy.typing import NDArray

from lookalike.errors import TrainingError

Arrays = dict[str, NDArray[Any]]
Save = Callable[[BinaryIO, Arrays], None]


def write_arrays(file: BinaryIO, arrays: Arrays) -> None:
    """Write arrays as NumPy's .npz, which loads without running anything."""
    np.savez(file, **arrays)  # type: ignore[arg-type]


def save_state(path: Path, model: keras.Model, *, optimizer: bool = True, write: Save = write_arrays) -> None:
    """Write all that `model` knows, and its optimizer's state; raise TrainingError when the disk is full."""
    partial = path.with_name(f"{path.name}.partial")
    arrays = {f"{place:05d}": np.asarray(value) for place, value in enumerate(_state(model, optimizer))}
    try:
        with partial.open("wb") as file:
            write(file, arrays)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise TrainingError(
            f"{path} could not be written ({error.strerror or error}); make room and go on with --resume: "
            "the checkpoint before it is whole."
        ) from error


def load_state(path: Path, model: keras.Model, *, optimizer: bool = True) -> None:
    """Give `model` what `save_state` wrote of it; raise TrainingError where that was another network."""
    variables = _state(model, optimizer)
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = [stored[name] for name in sorted(stored.files)]
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} cannot be read; train again in another folder.") from error
    if [array.shape for array in arrays] != [tuple(variable.shape) for variable in variables]:
        raise TrainingError(
            f"{path} is of another network than this version builds; train again in another folder."
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def _state(model: keras.Model, optimizer: bool) -> Sequence[Any]:
    """Return the variables: weights, statistics, the states of random layers, and the optimizer's."""
    own = [variable for variable in model.variables if not _is_metric(variable, model)]
    return [*own, *(model.optimizer.variables if optimizer else ())]


def _is_metric(variable: Any, model: keras.Model) -> bool:
    return any(variable is other for metric in model.metrics for other in metric.variables)
