"""A dataset on the Hub -> records, streamed, or downloaded into the cache first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any

from lookalike.columns import Columns, find_columns
from lookalike.errors import SourceError
from lookalike.fetching import be_patient
from lookalike.parquet_source import record_of
from lookalike.records import Choice, Record, Source

SECONDS = 30  # for the first word of the Hub, before a build has done anything

Load = Callable[[str, str | None, Choice], Mapping[str, Any]]


def load_from_hub(name: str, revision: str | None, choice: Choice) -> Mapping[str, Any]:
    """Return the splits of a dataset by name; raises whatever `datasets` and the Hub's client raise."""
    import datasets
    from huggingface_hub import HfApi
    from huggingface_hub.errors import OfflineModeIsEnabled

    be_patient()
    try:  # one request: load_dataset tries for 23 seconds
        revision = HfApi().dataset_info(name, revision=revision, timeout=SECONDS).sha
    except OfflineModeIsEnabled:  # a dataset that was downloaded is in the cache
        if not choice.download:
            raise
    datasets.disable_progress_bars()  # the command has its own
    splits = datasets.load_dataset(
        name, choice.config, split=choice.split, revision=revision, streaming=not choice.download
    )
    return {choice.split: splits} if choice.split else splits


def open_hub_dataset(spec: str, choice: Choice, *, load: Load = load_from_hub) -> Source:
    """Open a Hub dataset `owner/name[@revision]`, all its splits unless one is chosen."""
    name, _, revision = spec.partition("@")
    try:
        splits = list(load(name, revision or None, choice).values())
    except Exception as error:  # datasets, fsspec and the HTTP client each raise their own kinds
        raise SourceError(_unreachable(spec, error)) from error
    columns = [find_columns(split.features or {}, spec, choice) for split in splits]
    sizes = [(split.info.splits or {}).get(str(split.split)) for split in splits]
    total = sum(size.num_examples for size in sizes if size) if all(sizes) else 0
    return Source(spec, total or None, partial(_read_hub, spec, list(zip(splits, columns, strict=True))))


def _read_hub(spec: str, splits: Sequence[tuple[Any, Columns]]) -> Iterator[Record]:
    from datasets import Image

    number = count()
    try:
        for split, columns in splits:
            rows = split.select_columns(columns.used)
            if isinstance(split.features[columns.image], Image):
                rows = rows.cast_column(columns.image, Image(decode=False))
            yield from (record_of(columns, row, f"{spec}#{next(number)}") for row in rows)
    except Exception as error:  # as above
        raise SourceError(
            f"{spec} breaks off after {next(number):,} records ({_reason(error)}). What was done is kept; "
            "the same command goes on from there when the Hub and the network are back."
        ) from error


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _unreachable(spec: str, error: Exception) -> str:
    return (
        f"There is nothing at {spec}, and no such dataset could be read from the Hub; check the path, or the "
        f"dataset's name and revision, HF_TOKEN and the network. ({_reason(error)})"
    )
