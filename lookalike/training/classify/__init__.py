"""A network that names celebrities: from photos to faces, a split, a trained classifier and its report."""
