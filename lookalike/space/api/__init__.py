"""The endpoints for scripts, and their report."""
