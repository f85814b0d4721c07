"""Pictures and HTML that the page draws itself."""
