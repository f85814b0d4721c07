"""The build: records in, a gallery and its card out."""
