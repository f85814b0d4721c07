"""From an image to its faces: detectors with five landmarks, alignment and quality."""
