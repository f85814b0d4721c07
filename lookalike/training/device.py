"""What a network trains on: the processor, or a GPU where there is one."""

from __future__ import annotations

from lookalike.errors import TrainingError


def use_device(device: str) -> None:
    """Let TensorFlow see what `device` says: "cpu", "gpu", or whatever it finds for "auto".

    Raises TrainingError where a GPU is asked for and none is there. To be called before any network is made.
    """
    import tensorflow as tf  # takes seconds

    if device == "cpu":
        tf.config.set_visible_devices([], "GPU")
    if device == "gpu" and not tf.config.list_physical_devices("GPU"):
        raise TrainingError(
            "TensorFlow finds no GPU here; leave --device away to train on the processor, or install a "
            "driver and tensorflow[and-cuda]."
        )
