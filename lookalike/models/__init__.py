"""From faces to embeddings: the registry of models, their embedders, percentages, and occlusion maps."""

from lookalike.models.embedder import Embedder, Model
from lookalike.models.registry import find_model, load_embedder

__all__ = ["Embedder", "Model", "find_model", "load_embedder"]
