"""What a link to the page looks like where it is posted, and the page's title and icon."""

from __future__ import annotations

import html
import re

from lookalike.space.middleware.pictures import PREFIX
from lookalike.space.texts import table

GRADIO_TAGS = re.compile(rb'<meta\s+(?:property|name)="(?:og|twitter):[^>]*>\s*')
GRADIO_MANIFEST = b'href="/manifest.json"'  # absolute: wrong behind a proxy with a prefix
PICTURE_SIZE = (1200, 630)  # pixels of drawn/preview.jpg


def with_preview(page: bytes, url: str, language: str) -> bytes:
    """Return the page's HTML with our tags for link previews instead of gradio's."""
    head, script, rest = page.partition(b"<script")
    head = GRADIO_TAGS.sub(b"", head) + _tags(url, language).encode()
    return (head + script + rest).replace(GRADIO_MANIFEST, b'href="manifest.json"', 1)


def _tags(url: str, language: str) -> str:
    words = table(language)
    title, description = html.escape(words["title_question"]), html.escape(words["preview_description"])
    picture = html.escape(f"{url}{PREFIX}preview.jpg")
    shown = {
        "og:type": "website",
        "og:url": html.escape(f"{url}/"),
        "og:site_name": html.escape(words["title"]),
        "og:title": title,
        "og:description": description,
        "og:image": picture,
        "og:image:width": PICTURE_SIZE[0],
        "og:image:height": PICTURE_SIZE[1],
        "og:image:alt": html.escape(words["page_pair"]),
    }
    named = {
        "description": description,
        "twitter:card": "summary_large_image",
        "twitter:title": title,
        "twitter:description": description,
        "twitter:image": picture,
    }
    icon = f"{PREFIX.removeprefix('/')}icon.png"
    return "\n".join(
        (
            f"<title>{html.escape(words['title'])}</title>",
            *(f'<meta property="{name}" content="{value}">' for name, value in shown.items()),
            *(f'<meta name="{name}" content="{value}">' for name, value in named.items()),
            f'<link rel="icon" href="{icon}"><link rel="apple-touch-icon" href="{icon}">',
        )
    )
