"""Running networks: onnxruntime sessions, and DeepFace with its weights."""
