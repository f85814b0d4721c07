"""Open a dataset of celebrity photos as a stream of records.

A source is a Parquet file or a folder of them, a folder with one folder per celebrity or with metadata.csv, a
CSV of path and name, WebDataset's .tar or a folder of them, IMDB-WIKI's .mat, or a dataset on the Hub. It is
checked when it is opened, and read record by record, so it may be larger than the memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lookalike.errors import MissingFileError, SourceError
from lookalike.hub import is_dataset_id
from lookalike.sources.folder import open_folders
from lookalike.sources.hub_dataset import open_hub_dataset, open_webdataset
from lookalike.sources.imdb_wiki import open_mat
from lookalike.sources.parquet import open_parquet
from lookalike.sources.photo_list import open_csv, open_metadata
from lookalike.sources.records import WHAT_TO_GIVE, Choice, Facts, Part, Record, Source, hidden

__all__ = ["Choice", "Facts", "Part", "Record", "Source", "open_source", "open_sources"]

DEFAULTS = Choice()


def open_sources(specs: Sequence[str], choice: Choice = DEFAULTS, *, limit: int | None = None) -> Source:
    """Open several sources as one: their records in this order, at most `limit` of them."""
    sources = [open_source(spec, choice) for spec in specs]
    totals = [source.total for source in sources if source.total is not None]
    total = sum(totals) if len(totals) == len(sources) else None
    if limit is not None:
        total = limit if total is None else min(total, limit)
    return Source(
        name=", ".join(source.name for source in sources),
        total=total,
        parts=tuple(part for source in sources for part in source.parts),
        limit=limit,
    )


def open_source(spec: str, choice: Choice = DEFAULTS) -> Source:
    """Open a file, a folder, or else a Hub dataset `owner/name[@revision]`.

    Raises MissingFileError if `spec` does not exist, and SourceError if it cannot be read, has no names, or
    has no photos.
    """
    path = Path(spec)
    try:
        if path.is_file():
            return _open_file(path, choice)
        if path.is_dir():
            return _open_folder(path, choice)
    except OSError as error:  # no permission for a folder, a name that is too long
        reason = f"{error.filename or spec}: {error.strerror or error}"
        raise SourceError(f"The source cannot be read ({reason}); check its path and permissions.") from error
    if is_dataset_id(spec):
        return open_hub_dataset(spec, choice)
    raise MissingFileError(f"There is nothing at {spec}; {WHAT_TO_GIVE}.")


def _open_file(path: Path, choice: Choice) -> Source:
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv"):
        return open_csv(path)
    if suffix == ".mat":
        return open_mat(path)
    return open_webdataset(path, [path], choice) if suffix == ".tar" else open_parquet(path, [path], choice)


def _open_folder(path: Path, choice: Choice) -> Source:
    for ending, open_files in ((".parquet", open_parquet), (".tar", open_webdataset)):
        files = [file for file in path.rglob(f"*{ending}") if not hidden(file.relative_to(path))]
        if files:
            return open_files(path, sorted(files), choice)
    return open_metadata(path) or open_folders(path)
