"""Reports as one HTML page that contains its images."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from jinja2 import Environment

TEMPLATE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 }
th, td { padding: .2rem .8rem; border-bottom: 1px solid #ddd; text-align: left }
th + th, td + td { text-align: right; font-variant-numeric: tabular-nums }
img { max-width: 100% }
.photos { display: grid; grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); gap: .6rem }
figure { margin: 0; font-size: .8rem; overflow-wrap: anywhere }
figure img { width: 100%; border-radius: 4px }
</style>
<h1>{{ title }}</h1>
{% for section in sections %}
{% if section.title %}<h2>{{ section.title }}</h2>{% endif %}
{% for line in section.lines %}<p>{{ line }}</p>{% endfor %}
{% if section.rows %}<table>
{% if section.header %}<tr>{% for cell in section.header %}<th>{{ cell }}</th>{% endfor %}</tr>{% endif %}
{% for row in section.rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}</table>{% endif %}
{% if section.figure %}<img alt="{{ section.title }}" src="{{ section.figure | data_url('png') }}">{% endif %}
{% if section.photos %}<div class="photos">
{% for photo, caption in section.photos %}
<figure><img alt="" src="{{ photo | data_url('webp') }}"><figcaption>{{ caption }}</figcaption></figure>
{% endfor %}</div>{% endif %}
{% endfor %}
</html>
"""


@dataclass(frozen=True)
class Section:
    """Part of a page: a heading, paragraphs, a table, a figure (PNG) and photos (WebP, caption); any of them
    may be missing.
    """

    title: str = ""
    lines: Sequence[str] = ()
    header: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    figure: bytes = b""
    photos: Sequence[tuple[bytes, str]] = ()


def html_report(title: str, sections: Sequence[Section]) -> str:
    """Return the page. All texts are escaped, so markup in names and columns of a source has no effect."""
    environment = Environment(autoescape=True, trim_blocks=True)
    environment.filters["data_url"] = data_url
    return environment.from_string(TEMPLATE).render(title=title, sections=sections)


def data_url(image: bytes, kind: str) -> str:
    """Return an image of this kind ("png", "webp") as the URL that contains it."""
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"
