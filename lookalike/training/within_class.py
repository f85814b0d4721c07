"""Within-class covariance normalization (Hatch, Kajarekar and Stolcke, Interspeech 2006).

Directions in which the photos of one person differ say little about who it is, so they count for less. The
transform is linear and goes into the network's last layer, so it costs no time when the network runs.
"""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from lookalike.evaluation.aligned_faces import AlignedFaces
from lookalike.models.embedder import Embeddings, unit_rows

FEWEST_PHOTOS = 50  # of a person who counts: few photos are often of one occasion, and differ too little
PHOTOS_PER_PERSON = 20
FEWEST_PEOPLE = 20  # with fewer the network stays as it is
SHRINKAGE = 3.0  # mean variances added to every direction; chosen on the people of training, in halves


def normalize_within_class(network: keras.Model, faces: AlignedFaces) -> None:
    """Change the last layer of `compact` by the transform of its embeddings of `faces`, those of training.

    Unless FEWEST_PEOPLE have FEWEST_PHOTOS each, the network is left as it is.
    """
    chosen, person = _photos_of_people(faces.names)
    if len(np.unique(person)) < FEWEST_PEOPLE:
        return
    embeddings = network.predict(faces.images[chosen].astype(np.float32) / np.float32(255), verbose=0)
    transform_embedding(network, within_class_transform(unit_rows(embeddings), person))


def within_class_transform(embeddings: Embeddings, person: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the symmetric (d, d) matrix W^(-1/2), where W is the covariance of (n, d) `embeddings` of unit
    length about the mean of each `person`, (n,), with SHRINKAGE.
    """
    people = np.unique(person, return_inverse=True)[1]
    sums = np.zeros((people.max() + 1, embeddings.shape[1]))
    np.add.at(sums, people, embeddings)
    apart = embeddings - (sums / np.bincount(people)[:, None])[people]
    covariance = apart.T @ apart / (len(apart) - len(sums))
    mean_variance = np.trace(covariance) / len(covariance)
    values, vectors = np.linalg.eigh(covariance + SHRINKAGE * mean_variance * np.eye(len(covariance)))
    return np.asarray(vectors / np.sqrt(values) @ vectors.T)


def transform_embedding(network: keras.Model, transform: NDArray[np.float64]) -> None:
    """Multiply the embeddings of `compact` by the (d, d) `transform`, within its last dense layer; the batch
    normalization behind it keeps its offset alone.
    """
    project, normalization = network.get_layer("project"), network.get_layer("embedding")
    (kernel,) = project.get_weights()  # (features, d)
    gamma, beta, mean, variance = normalization.get_weights()
    scale = gamma / np.sqrt(variance + normalization.epsilon)
    project.set_weights([kernel * scale @ transform])
    ones = np.ones_like(gamma)
    normalization.set_weights(
        [ones, (beta - mean * scale) @ transform, 0 * ones, ones * (1 - normalization.epsilon)]
    )


def _photos_of_people(names: tuple[str, ...]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the places of PHOTOS_PER_PERSON photos of each name with FEWEST_PHOTOS, evenly drawn, and a
    number for the person whom each shows.
    """
    order = np.argsort(names, kind="stable")
    found, starts, counts = np.unique(np.asarray(names)[order], return_index=True, return_counts=True)
    places, person = [], []
    for number, (name, start, count) in enumerate(zip(found, starts, counts, strict=True)):
        if name and count >= FEWEST_PHOTOS:
            places.append(order[start + np.arange(PHOTOS_PER_PERSON) * count // PHOTOS_PER_PERSON])
            person.append(np.full(PHOTOS_PER_PERSON, number))
    empty = [np.zeros(0, np.intp)]
    return np.concatenate(places or empty), np.concatenate(person or empty)
