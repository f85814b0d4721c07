"""In front of gradio and beside it: request filter, rate limit, uploads, decoders, cleanup, shutdown."""
