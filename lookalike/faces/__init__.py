"""From a photo to its faces: detection with five landmarks, alignment, and quality measures."""

from lookalike.faces.detectors import load_detector
from lookalike.faces.face import Detector, Face

__all__ = ["Detector", "Face", "load_detector"]
