"""The build: turn records into a gallery, write its card, and push it to the Hub."""
