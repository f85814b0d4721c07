"""The step after training that lets the directions in which one person's photos differ count for less."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest

from lookalike.evaluation.aligned_faces import AlignedFaces
from lookalike.models.embedder import unit_rows
from lookalike.training.networks import CompactWidths, compact
from lookalike.training.within_class import (
    FEWEST_PEOPLE,
    FEWEST_PHOTOS,
    normalize_within_class,
    transform_embedding,
    within_class_transform,
)


@pytest.fixture
def network() -> keras.Model:
    """A network with random weights, and batch statistics unlike those it begins with."""
    keras.utils.set_random_seed(0)
    model = compact(CompactWidths(8, (8, 4, 1), (16, 8, 1), (16, 8, 1)), dim=8)
    random = np.random.default_rng(0)
    model.get_layer("embedding").set_weights([random.uniform(0.5, 2, 8) for _ in range(4)])
    return model


@pytest.fixture(scope="module")
def faces() -> AlignedFaces:
    """People of one colour each, photographed in light and in darkness."""
    random = np.random.default_rng(1)
    count = FEWEST_PEOPLE * FEWEST_PHOTOS
    person = np.repeat(np.arange(FEWEST_PEOPLE), FEWEST_PHOTOS)
    colours, light = random.uniform(0, 255, (FEWEST_PEOPLE, 3)), random.uniform(0.2, 1, count)
    images = np.broadcast_to((colours[person] * light[:, None])[:, None, None], (count, 112, 112, 3))
    return AlignedFaces(
        images=images.astype(np.uint8),
        names=tuple(f"person {number}" for number in person),
        sources=("drawn",) * count,
        files=tuple(f"{place}.png" for place in range(count)),
        teacher=np.zeros((count, 8), np.float32),
    )


def embed(network: keras.Model, faces: AlignedFaces) -> np.ndarray:
    return network.predict(faces.images[::5].astype(np.float32) / 255, verbose=0)


def spread_within(embeddings: np.ndarray, people: int) -> float:
    """Return how much of the variance of unit embeddings is that within a person, 0..1."""
    rows = unit_rows(embeddings).reshape(people, -1, embeddings.shape[1])
    return float(rows.var(axis=1).sum(axis=-1).mean() / rows.reshape(-1, rows.shape[-1]).var(axis=0).sum())


def test_a_direction_of_light_and_shadow_counts_for_less_than_one_of_people():
    random = np.random.default_rng(0)
    people = np.repeat(random.normal(size=(30, 1)), 20, axis=0)
    rows = np.hstack([people, random.normal(size=(600, 1)), np.full((600, 1), 3.0)])
    transform = within_class_transform(unit_rows(rows), np.repeat(np.arange(30), 20))
    np.testing.assert_allclose(transform, transform.T)
    assert transform[1, 1] < 0.8 * transform[0, 0]
    assert spread_within(rows @ transform, 30) < spread_within(rows, 30)


def test_the_last_layer_takes_up_the_transform(network: keras.Model, faces: AlignedFaces):
    transform = np.random.default_rng(2).normal(size=(8, 8))
    before = embed(network, faces)
    transform_embedding(network, transform)
    np.testing.assert_allclose(embed(network, faces), before @ transform, rtol=1e-3, atol=1e-3)


def test_photos_of_one_person_move_closer(network: keras.Model, faces: AlignedFaces):
    before = spread_within(embed(network, faces), FEWEST_PEOPLE)
    normalize_within_class(network, faces)
    assert spread_within(embed(network, faces), FEWEST_PEOPLE) < before


def test_few_people_change_nothing(network: keras.Model, faces: AlignedFaces):
    unnamed = replace(faces, names=("",) * FEWEST_PHOTOS + faces.names[FEWEST_PHOTOS:])
    before = network.get_weights()
    normalize_within_class(network, unnamed)
    for old, new in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
