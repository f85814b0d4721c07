"""The two endpoints for scripts, and the report that they return."""
