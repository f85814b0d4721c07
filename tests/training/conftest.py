"""What the tests of training share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import tensorflow as tf


@pytest.fixture(autouse=True)
def eager_functions(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run TensorFlow's functions eagerly in all tests but those marked `slow` without `eager=True`: compiling
    tiny networks takes longer than training them.
    """
    slow = request.node.get_closest_marker("slow")
    tf.config.run_functions_eagerly(slow is None or slow.kwargs.get("eager", False))
    yield
    tf.config.run_functions_eagerly(False)
