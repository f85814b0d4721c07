"""Write an inspection as figures and one HTML page that contains them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
from PIL import Image

from lookalike.errors import ImageError
from lookalike.files import atomic_write, write_text
from lookalike.images import read_image
from lookalike.reports import Section, html_report
from lookalike.sources.inspection import SHOWN_COLUMNS, Inspection

PAGE_FILE = "inspection.html"
CONTACT_SHEET = "contact-sheet.png"
INK, PAPER = "#1f6f54", "#ffffff"
THUMBNAIL = 128  # pixels
SHEET_COLUMNS = 8
BINS = 40  # of a histogram
LISTED = 15  # names with the most photos, and with the fewest


def write_inspection(
    folder: Path,
    inspection: Inspection,
    *,
    notes: Sequence[str] = (),
    further: Mapping[str, bytes] = MappingProxyType({}),
) -> Path:
    """Write the figures and the page into `folder`; return the page's path. The page begins with the
    sentences `notes`, and also shows the PNG files `further`.
    """
    pictures = {name: data for name, data in _pictures(inspection).items() if data} | dict(further)
    for name, data in pictures.items():
        with atomic_write(folder / name) as partial:
            partial.write_bytes(data)
    write_text(folder / PAGE_FILE, page(inspection, pictures, notes))
    return folder / PAGE_FILE


def page(inspection: Inspection, pictures: dict[str, bytes], notes: Sequence[str] = ()) -> str:
    """Return the page."""
    ranked = [(name, f"{number:,}") for name, number in inspection.photos_a_name.most_common()]
    sections = [
        Section(lines=notes, rows=inspection.lines),
        Section("Names with the most photos", rows=ranked[:LISTED]),
        Section("Names with the fewest photos", rows=ranked[LISTED:][-LISTED:]),
        Section("Columns of numbers", rows=_number_lines(inspection)),
        *(Section(_titled(name), figure=data) for name, data in pictures.items() if name != CONTACT_SHEET),
        Section("Some photos", photos=_photos(inspection)),
    ]
    return html_report(f"Inspection of {inspection.source}", sections)


def _number_lines(inspection: Inspection) -> list[tuple[str, str]]:
    lines = []
    for name, values in inspection.numbers.items():
        known = values[np.isfinite(values)]
        low, middle, high = np.quantile(known, (0, 0.5, 1))
        missing = len(values) - len(known)
        lines.append((name, f"{low:,.4g} to {high:,.4g}, median {middle:,.4g}; {missing:,} missing"))
    return lines


def _photos(inspection: Inspection) -> list[tuple[bytes, str]]:
    photos = []
    for record in inspection.sample:
        small = _thumbnail(record.image)
        if small is not None:
            file = io.BytesIO()
            small.save(file, "WEBP", quality=80)
            photos.append((file.getvalue(), record.name or "(no name)"))
    return photos


def _thumbnail(image: bytes) -> Image.Image | None:
    try:
        small = Image.fromarray(read_image(image))
    except ImageError:
        return None
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    return small


def _titled(name: str) -> str:
    return name.removesuffix(".png").replace("-", " ").capitalize()


def _pictures(inspection: Inspection) -> dict[str, bytes | None]:
    return {
        "photos-a-name.png": _histograms({"photos a name": np.array([*inspection.photos_a_name.values()])}),
        "numbers.png": _histograms(inspection.numbers),
        "correlations.png": _heat_map(inspection),
        CONTACT_SHEET: _contact_sheet(inspection),
    }


def _histograms(columns: dict[str, np.ndarray]) -> bytes | None:
    """Return one histogram for each of the first SHOWN_COLUMNS columns, three in a row."""
    from matplotlib.figure import Figure  # takes half a second to import

    finite = {name: values[np.isfinite(values)] for name, values in columns.items()}
    shown = dict(
        [(name, values) for name, values in finite.items() if has_bins(values, BINS)][:SHOWN_COLUMNS]
    )
    if not shown:
        return None
    rows = -(-len(shown) // 3)
    figure = Figure(figsize=(4 * min(len(shown), 3), 3 * rows), layout="constrained", facecolor=PAPER)
    for place, (name, values) in enumerate(shown.items(), start=1):
        axes = figure.add_subplot(rows, min(len(shown), 3), place)
        axes.hist(values, bins=BINS, color=INK)
        axes.set_title(name[:40], parse_math=False)
        axes.spines[["top", "right"]].set_visible(False)
    return _png(figure)


def has_bins(values: np.ndarray, bins: int) -> bool:
    """Return whether a histogram of so many bins can be drawn: long ids are too close together for one."""
    if not len(values):
        return False
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # numbers near 1e308 are too far apart
            np.histogram_bin_edges(values, bins)
    except ValueError:
        return False
    return True


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
