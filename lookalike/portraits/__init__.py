"""Pictures of celebrities from Wikimedia Commons: found by name, verified by our own model, credited, cached.

    wikimedia   three requests: Wikipedia (article), Wikidata (which person), Commons (licence and author)
    client      the only code that opens a connection: fixed hosts, limits, retries
    verify      is it a picture of this person? one face, and its embedding matches the gallery's
    cache       results on disk for 30 days
    collecting  all of it for many names, as the build does
    fetcher     all of it in the background, as the page does

Only names of celebrities are sent. See docs/galleries.md.
"""
