"""Occlusion sensitivity: which parts of a face contribute to a likeness."""

from __future__ import annotations

import numpy as np
import pytest

from lookalike import Lookalikes
from lookalike.faces.alignment import TEMPLATE
from lookalike.faces.face import Face
from lookalike.models.explain import REGIONS, heat_map, main_parts
from tests.support.drawing import draw_face
from tests.support.fakes import ColourEmbedder, unit

TEMPLATE_FACE = Face((56, 56, 112, 112), (TEMPLATE * 2).astype(np.float32), 1.0)  # a 224-pixel crop


def grey_with(colour: tuple[int, int, int], part: str) -> np.ndarray:
    """An aligned face of 224 pixels, gray except for one part."""
    image = np.full((224, 224, 3), 60, np.uint8)
    for left, top, right, bottom in REGIONS[part]:
        image[2 * top : 2 * bottom, 2 * left : 2 * right] = colour
    return image


@pytest.mark.parametrize("part", ["forehead", "mouth and chin"])
def test_the_only_part_that_resembles_is_named(part: str):
    image = grey_with((255, 0, 0), part)
    heat = heat_map(image, TEMPLATE_FACE, ColourEmbedder(), np.array([unit(1, 0, 0)]))
    assert heat.shape == (112, 112) and heat.max() > 0
    assert main_parts(heat)[0] == part


def test_a_part_that_reduces_the_likeness_is_negative_and_not_named():
    image = grey_with((0, 0, 255), "mouth and chin")
    heat = heat_map(image, TEMPLATE_FACE, ColourEmbedder(), np.array([unit(1, 0, 0)]))
    assert heat[84:112, 34:78].max() < 0
    assert "mouth and chin" not in main_parts(heat)


def test_the_nearest_row_of_the_person_is_used():
    image = grey_with((255, 0, 0), "forehead")
    rows = np.array([unit(0, 0, 1), unit(1, 0, 0)])
    both = heat_map(image, TEMPLATE_FACE, ColourEmbedder(), rows)
    assert (both == heat_map(image, TEMPLATE_FACE, ColourEmbedder(), rows[1:])).all()


def test_no_part_is_named_if_the_losses_are_tiny():
    assert main_parts(np.full((112, 112), 0.001, np.float32)) == []


def test_the_bundled_model_gives_a_similar_map_at_half_the_size():
    finder = Lookalikes.load()
    image = draw_face(seed=3)
    (found,) = finder.find(image)
    rows = finder.gallery.rows_of(found.matches[0].name)
    half = Face(tuple(v / 2 for v in found.face.box), found.face.landmarks / 2, 1.0)
    large, small = (
        heat_map(picture, face, finder.embedder, rows)
        for picture, face in ((image, found.face), (np.ascontiguousarray(image[::2, ::2]), half))
    )
    assert large.max() > 0.01
    assert np.corrcoef(large.ravel(), small.ravel())[0, 1] > 0.8
