"""What stands between the network and the page: limits, uploads, decoders, cleanup, shutdown."""
