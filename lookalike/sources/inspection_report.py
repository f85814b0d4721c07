"""An inspection as pictures and one page of HTML that holds them all."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
from PIL import Image

from lookalike.errors import ImageError
from lookalike.images import read_image
from lookalike.sources.inspection import Inspection

PAGE_FILE = "inspection.html"
INK, PAPER = "#1f6f54", "#ffffff"
THUMBNAIL = 128  # pixels
SHEET_COLUMNS = 8
LISTED = 15  # names with the most photos, and with the fewest

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem }}
table {{ border-collapse: collapse; margin: 1rem 0 }}
td {{ padding: .2rem .8rem; border-bottom: 1px solid #ddd; text-align: left }}
td + td {{ text-align: right; font-variant-numeric: tabular-nums }}
img {{ max-width: 100% }}
.sheet {{ display: grid; grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); gap: .6rem }}
figure {{ margin: 0; font-size: .8rem; overflow-wrap: anywhere }}
figure img {{ width: 100%; border-radius: 4px }}
</style>
<h1>{title}</h1>
{body}
</html>
"""


def write_inspection(
    folder: Path,
    inspection: Inspection,
    *,
    notes: Sequence[str] = (),
    further: Mapping[str, bytes] = MappingProxyType({}),
) -> Path:
    """Write the pictures and the page into `folder`; return the page's path. `notes` are sentences that the
    page begins with, `further` are PNG files that it shows besides its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {name: data for name, data in _pictures(inspection).items() if data} | dict(further)
    for name, data in pictures.items():
        (folder / name).write_bytes(data)
    (folder / PAGE_FILE).write_text(page(inspection, pictures, notes), encoding="utf-8")
    return folder / PAGE_FILE


def page(inspection: Inspection, pictures: dict[str, bytes], notes: Sequence[str] = ()) -> str:
    """Return the page; whatever a source calls its names, columns and categories is shown as text."""
    title = html.escape(f"What is in {inspection.source}")
    ranked = inspection.photos_a_name.most_common()
    parts = [
        *(f"<p>{html.escape(note)}</p>" for note in notes),
        _table(inspection.lines),
        "<h2>Names with the most and with the fewest photos</h2>",
        _table([(name, f"{number:,}") for name, number in ranked[:LISTED]]),
        _table([(name, f"{number:,}") for name, number in ranked[LISTED:][-LISTED:]]),
        "<h2>Columns of numbers</h2>",
        _table(_number_lines(inspection)),
    ]
    parts += [
        f'<h2>{html.escape(_titled(name))}</h2><img alt="" src="{_data_url(data, "png")}">'
        for name, data in pictures.items()
        if name != "contact-sheet.png"
    ]
    return _PAGE.format(title=title, body="\n".join([*parts, "<h2>Some photos</h2>", _sheet(inspection)]))


def _table(rows: Sequence[tuple[str, str]]) -> str:
    cells = (f"<tr><td>{html.escape(what)}</td><td>{html.escape(value)}</td></tr>" for what, value in rows)
    return f"<table>{''.join(cells)}</table>" if rows else ""


def _number_lines(inspection: Inspection) -> list[tuple[str, str]]:
    lines = []
    for name, values in inspection.numbers.items():
        there = values[np.isfinite(values)]
        low, middle, high = np.quantile(there, (0, 0.5, 1))
        missing = len(values) - len(there)
        lines.append((name, f"{low:,.4g} to {high:,.4g}, {middle:,.4g} in the median; {missing:,} missing"))
    return lines


def _sheet(inspection: Inspection) -> str:
    figures = []
    for record in inspection.sample:
        small = _thumbnail(record.image)
        if small is not None:
            file = io.BytesIO()
            small.save(file, "WEBP", quality=80)
            source = _data_url(file.getvalue(), "webp")
            caption = html.escape(record.name or "(no name)")
            figures.append(f'<figure><img alt="" src="{source}"><figcaption>{caption}</figcaption></figure>')
    return f'<div class="sheet">{"".join(figures)}</div>'


def _thumbnail(image: bytes) -> Image.Image | None:
    try:
        small = Image.fromarray(read_image(image))
    except ImageError:
        return None
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    return small


def _data_url(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _titled(name: str) -> str:
    return name.removesuffix(".png").replace("-", " ").capitalize()


# Pictures


def _pictures(inspection: Inspection) -> dict[str, bytes | None]:
    return {
        "photos-a-name.png": _histograms({"photos a name": np.array([*inspection.photos_a_name.values()])}),
        "numbers.png": _histograms(inspection.numbers),
        "correlations.png": _heat_map(inspection),
        "contact-sheet.png": _contact_sheet(inspection),
    }


def _histograms(columns: dict[str, np.ndarray]) -> bytes | None:
    """Return a histogram a column, three in a row."""
    from matplotlib.figure import Figure  # takes half a second to import

    shown = {name: values[np.isfinite(values)] for name, values in columns.items() if len(values)}
    if not shown:
        return None
    rows = -(-len(shown) // 3)
    figure = Figure(figsize=(4 * min(len(shown), 3), 3 * rows), layout="constrained", facecolor=PAPER)
    for place, (name, values) in enumerate(shown.items(), start=1):
        axes = figure.add_subplot(rows, min(len(shown), 3), place)
        axes.hist(values, bins=40, color=INK)
        axes.set_title(name[:40], parse_math=False)
        axes.spines[["top", "right"]].set_visible(False)
    return _png(figure)


def _heat_map(inspection: Inspection) -> bytes | None:
    from matplotlib.figure import Figure

    columns, matrix = inspection.correlations
    if len(columns) < 2:
        return None
    side = 2 + 0.7 * len(columns)
    figure = Figure(figsize=(side + 1, side), layout="constrained", facecolor=PAPER)
    axes = figure.add_subplot()
    shown = axes.imshow(matrix, cmap="BrBG", vmin=-1, vmax=1)
    labels = [name[:30] for name in columns]
    axes.set_xticks(range(len(columns)), labels, rotation=45, ha="right", parse_math=False)
    axes.set_yticks(range(len(columns)), labels, parse_math=False)
    for (row, column), value in np.ndenumerate(matrix):
        if np.isfinite(value):
            colour = "white" if abs(value) > 0.6 else "black"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=colour)
    figure.colorbar(shown, label="Pearson's correlation")
    return _png(figure)


def _contact_sheet(inspection: Inspection) -> bytes | None:
    thumbnails = [small for record in inspection.sample if (small := _thumbnail(record.image)) is not None]
    if not thumbnails:
        return None
    rows = -(-len(thumbnails) // SHEET_COLUMNS)
    sheet = Image.new("RGB", (THUMBNAIL * SHEET_COLUMNS, THUMBNAIL * rows), PAPER)
    for place, small in enumerate(thumbnails):
        row, column = divmod(place, SHEET_COLUMNS)
        left = column * THUMBNAIL + (THUMBNAIL - small.width) // 2
        sheet.paste(small, (left, row * THUMBNAIL + (THUMBNAIL - small.height) // 2))
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


def _png(figure: object) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)  # type: ignore[attr-defined]
    return file.getvalue()
