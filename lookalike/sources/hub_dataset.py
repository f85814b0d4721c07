"""A dataset on the Hub -> records, streamed, or downloaded into the cache first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from lookalike.errors import SourceError
from lookalike.hub import dataset_commit, limit_waiting, reason_of
from lookalike.sources.columns import Columns, find_columns
from lookalike.sources.hub_errors import explain
from lookalike.sources.parquet import record_of
from lookalike.sources.records import Choice, Part, Record, Source

ROWS_PER_PART = 1000  # of a downloaded dataset: some seconds of work


@dataclass(frozen=True)
class Loaded:
    """The splits of a dataset by name, and the commit that they are of, empty where it is not known.

    `streamed` splits are read from the network, shard by shard, each time.
    """

    splits: Mapping[str, Any]
    commit: str = ""
    streamed: bool = True


Load = Callable[[str, str | None, Choice], Loaded]


def load_from_hub(name: str, revision: str | None, choice: Choice) -> Loaded:
    """Return the splits of a dataset. Raises what `datasets` and the Hub's client raise."""
    import datasets
    from huggingface_hub.errors import OfflineModeIsEnabled

    limit_waiting()
    commit = ""
    try:  # one request: where the Hub is away, load_dataset would retry for 23 seconds
        commit = dataset_commit(name, revision)
    except OfflineModeIsEnabled:  # load_dataset then takes a downloaded dataset from the cache
        if not choice.download:
            raise
    datasets.disable_progress_bars()  # the command has its own
    splits = datasets.load_dataset(
        name,
        choice.config,
        split=choice.split,
        revision=commit or revision,
        streaming=not choice.download,
    )
    return Loaded({choice.split: splits} if choice.split else splits, commit, not choice.download)


def open_hub_dataset(spec: str, choice: Choice, *, load: Load = load_from_hub) -> Source:
    """Open a Hub dataset `owner/name[@revision]`: all its splits, or the one in `choice`.

    Raises SourceError that tells whether the dataset is missing, closed to you, out of reach, or unreadable.
    """
    name, _, revision = spec.partition("@")
    try:
        loaded = load(name, revision or None, choice)
    except Exception as error:  # datasets, fsspec and the HTTP client each raise their own kinds
        raise SourceError(explain(spec, error)) from error
    splits = list(loaded.splits.values())
    sizes = [(split.info.splits or {}).get(str(split.split)) for split in splits]
    total = sum(size.num_examples for size in sizes if size) if all(sizes) else 0
    parts = [part for split in splits for part in _parts(spec, split, loaded, choice)]
    return Source(spec, total or None, tuple(parts))


def _parts(spec: str, split: Any, loaded: Loaded, choice: Choice) -> Iterator[Part]:
    """Yield a part for each shard of a streamed split, or for each thousand rows of a downloaded one."""
    columns = find_columns(split.features or {}, spec, choice)
    count = split.num_shards if loaded.streamed else -(-len(split) // ROWS_PER_PART)
    has_key = loaded.streamed and loaded.commit  # what is downloaded costs nothing to read again
    for index in range(count):
        content = (spec.partition("@")[0], loaded.commit, choice.config, str(split.split), columns)
        yield Part(
            partial(_read_shard, spec, split, columns, index, count),
            key=repr((*content, index, count)) if has_key else "",
            series=spec,
        )


def _read_shard(spec: str, split: Any, columns: Columns, index: int, count: int) -> Iterator[Record]:
    from datasets import Image

    read = 0
    try:
        rows = split.shard(num_shards=count, index=index).select_columns(columns.used)
        if isinstance(split.features[columns.image], Image):
            rows = rows.cast_column(columns.image, Image(decode=False))
        for row in rows:
            yield record_of(columns, row, spec)
            read += 1
    except Exception as error:  # as above
        shard = f" of shard {index + 1:,} of {count:,}" if count > 1 else ""
        raise SourceError(
            f"{spec} breaks off after {read:,} records{shard} ({reason_of(error)}). What was done is kept; "
            "give the same command again when the Hub and the network are back, and it goes on from there."
        ) from error
