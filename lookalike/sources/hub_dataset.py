"""A dataset on the Hub -> records, streamed, or downloaded into the cache first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from lookalike.errors import SourceError
from lookalike.hub import dataset_commit, limit_waiting, reason_of
from lookalike.sources.columns import Columns, find_columns
from lookalike.sources.parquet import record_of
from lookalike.sources.records import Choice, Part, Record, Source

ROWS_A_PART = 1000  # of what is in the cache: some seconds of work


@dataclass(frozen=True)
class Loaded:
    """The splits of a dataset by name; `commit` is the very revision they are of, empty where nobody asked.

    What is streamed comes shard by shard, over the network, anew each time.
    """

    splits: Mapping[str, Any]
    commit: str = ""
    streamed: bool = True


Load = Callable[[str, str | None, Choice], Loaded]


def load_from_hub(name: str, revision: str | None, choice: Choice) -> Loaded:
    """Return the splits of a dataset; raises whatever `datasets` and the Hub's client raise."""
    import datasets
    from huggingface_hub.errors import OfflineModeIsEnabled

    limit_waiting()
    commit = ""
    try:  # one request: load_dataset tries for 23 seconds
        commit = dataset_commit(name, revision)
    except OfflineModeIsEnabled:  # a dataset that was downloaded is in the cache
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
    """Open a Hub dataset `owner/name[@revision]`, all its splits unless one is chosen."""
    name, _, revision = spec.partition("@")
    try:
        loaded = load(name, revision or None, choice)
        splits = list(loaded.splits.values())
    except Exception as error:  # datasets, fsspec and the HTTP client each raise their own kinds
        raise SourceError(_unreachable(spec, error)) from error
    sizes = [(split.info.splits or {}).get(str(split.split)) for split in splits]
    total = sum(size.num_examples for size in sizes if size) if all(sizes) else 0
    parts = [part for split in splits for part in _parts(spec, split, loaded, choice)]
    return Source(spec, total or None, tuple(parts))


def _parts(spec: str, split: Any, loaded: Loaded, choice: Choice) -> Iterator[Part]:
    """Yield a split's shards where it is streamed, its rows by the thousand where it is in the cache."""
    columns = find_columns(split.features or {}, spec, choice)
    count = split.num_shards if loaded.streamed else -(-len(split) // ROWS_A_PART)
    remembered = loaded.streamed and loaded.commit
    for index in range(count):
        content = (spec.partition("@")[0], loaded.commit, choice.config, str(split.split), columns)
        yield Part(
            partial(_read_shard, spec, split, columns, index, count),
            key=repr((*content, index, count)) if remembered else "",
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
            "the same command goes on from there when the Hub and the network are back."
        ) from error


def _unreachable(spec: str, error: Exception) -> str:
    return (
        f"There is nothing at {spec}, and no such dataset could be read from the Hub; check the path, or the "
        f"dataset's name and revision, HF_TOKEN and the network. ({reason_of(error)})"
    )
