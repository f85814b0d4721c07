"""What the tests of training share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import tensorflow as tf


@pytest.fixture(autouse=True)
def eager_functions(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run TensorFlow's functions eagerly in all tests that are not slow: compiling tiny networks takes longer
    than training them.
    """
    tf.config.run_functions_eagerly(request.node.get_closest_marker("slow") is None)
    yield
    tf.config.run_functions_eagerly(False)
