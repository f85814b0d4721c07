"""Choose between the CPU and a GPU."""

from __future__ import annotations

from lookalike.errors import TrainingError


def use_device(device: str) -> None:
    """Let TensorFlow use `device`: "cpu", "gpu", or "auto" for a GPU if there is one.

    Call it before any network is built. Raises TrainingError for "gpu" when TensorFlow finds none.
    """
    import tensorflow as tf  # takes seconds

    if device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    if device == "gpu" and not tf.config.list_physical_devices("GPU"):
        raise TrainingError(
            "TensorFlow finds no GPU here. Leave out --device to train on the CPU, or install a driver and "
            "tensorflow[and-cuda]."
        )
