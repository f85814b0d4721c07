"""From faces to embeddings: the models on offer, the percentage, and what explains a likeness."""
