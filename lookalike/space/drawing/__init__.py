"""The pictures and the HTML that the page shows."""
