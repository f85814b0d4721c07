"""The page: `page.py` puts it together; a tab's callbacks are in a file beside its layout."""
