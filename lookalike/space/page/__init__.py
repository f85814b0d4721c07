"""The page: components, tabs, callbacks, theme."""
