"""What `datasets` loads -> records: a dataset on the Hub, streamed or downloaded, or WebDataset's files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from lookalike.errors import SourceError
from lookalike.hub import dataset_commit, is_dataset_id, limit_waiting, reason_of
from lookalike.sources.columns import Columns, find_columns
from lookalike.sources.hub_errors import explain
from lookalike.sources.parquet import records_of
from lookalike.sources.records import WHAT_TO_GIVE, Choice, Part, Record, Source

ROWS_PER_PART = 1000  # of a downloaded dataset: some seconds of work
HOW_TO_GO_ON = (
    "What was done is kept; give the same command again when the Hub and the network are back, and it goes "
    "on from there."
)


@dataclass(frozen=True)
class Loaded:
    """The splits of a dataset by name, and the commit that they are of, empty where it is not known.

    `streamed` splits are read shard by shard, each time. `places` are where the dataset's own files
    are: how their addresses or paths start.
    """

    splits: Mapping[str, Any]
    commit: str = ""
    streamed: bool = True
    places: tuple[str, ...] = ()


Load = Callable[[str, str | None, Choice], Loaded]


def load_from_hub(name: str, revision: str | None, choice: Choice) -> Loaded:
    """Return the splits of a dataset. Raises what `datasets` and the Hub's client raise."""
    import datasets
    from huggingface_hub import constants
    from huggingface_hub.errors import OfflineModeIsEnabled

    limit_waiting()
    commit = ""
    try:  # one request: where the Hub is away, load_dataset would retry for 23 seconds
        commit = dataset_commit(name, revision)
    except OfflineModeIsEnabled:  # load_dataset then takes a downloaded dataset from the cache
        if not choice.download:
            raise
    datasets.disable_progress_bars()  # the command has its own
    splits = _load_splits(name, commit or revision, choice)
    places = (f"hf://datasets/{name}@{commit}/",)
    if choice.download:
        snapshots = Path(constants.HF_HUB_CACHE, f"datasets--{name.replace('/', '--')}", "snapshots")
        places = (f"{snapshots / commit}{os.sep}",)
    return Loaded(splits, commit, not choice.download, places)


def _load_splits(name: str, revision: str | None, choice: Choice) -> Mapping[str, Any]:
    """Return the splits of a dataset.

    Labels of a folder of photos are left out where `datasets` gets them wrong: in an archive, or where one
    split has a single folder. The paths tell them.
    """
    from datasets import load_dataset
    from datasets.exceptions import DatasetGenerationError

    load = partial(
        load_dataset,
        name,
        choice.config,
        revision=revision,
        split=choice.split,
        streaming=not choice.download,
    )
    try:
        splits = load()
        wrong = not choice.download and _is_folder(splits if choice.split else next(iter(splits.values())))
    except DatasetGenerationError as error:
        if "Invalid string class label" not in str(error.__cause__):
            raise
        wrong = True
    splits = load(drop_labels=True) if wrong else splits
    return {choice.split: splits} if choice.split else dict(splits)


def _is_folder(split: Any) -> bool:
    return bool(split.info.builder_name == "imagefolder")


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


def open_webdataset(path: Path, files: Sequence[Path], choice: Choice) -> Source:
    """Open WebDataset's .tar files on disk. Raises SourceError where they cannot be read."""
    import datasets

    datasets.disable_progress_bars()
    names = [str(file.absolute()) for file in files]
    try:
        split = datasets.load_dataset("webdataset", data_files=names, split="train", streaming=True)
    except Exception as error:  # tarfile, fsspec and datasets each raise their own kinds
        raise SourceError(f"{path} is not a WebDataset that can be read; {WHAT_TO_GIVE}.") from error
    source = path.resolve().name
    return Source(source, None, tuple(_parts(source, split, Loaded({"train": split}), choice)))


def _parts(spec: str, split: Any, loaded: Loaded, choice: Choice) -> Iterator[Part]:
    """Yield a part for each shard of a streamed split, or for each thousand rows of a downloaded one."""
    columns = find_columns(
        split.features or {}, spec, choice, places=loaded.places, by_folder=_is_folder(split)
    )
    count = split.num_shards if loaded.streamed else -(-len(split) // ROWS_PER_PART)
    has_key = loaded.streamed and loaded.commit  # what is downloaded costs nothing to read again
    for index in range(count):
        content = (spec.partition("@")[0], loaded.commit, choice.config, str(split.split), columns)
        yield Part(
            partial(_read_shard, spec, _encoded(split, columns, loaded), columns, index, count),
            key=repr((*content, index, count)) if has_key else "",
            series=spec,
        )


def _read_shard(spec: str, split: Any, columns: Columns, index: int, count: int) -> Iterator[Record]:
    read = 0
    try:
        rows = split.shard(num_shards=count, index=index).select_columns(columns.used)
        for record in records_of(columns, rows, spec):
            yield record
            read += 1
    except SourceError:
        raise
    except Exception as error:  # as above
        shard = f" of shard {index + 1:,} of {count:,}" if count > 1 else ""
        what_to_do = HOW_TO_GO_ON if is_dataset_id(spec) else "Fetch or write it again."
        raise SourceError(
            f"{spec} breaks off after {read:,} records{shard} ({reason_of(error)}). {what_to_do}"
        ) from error


def _encoded(split: Any, columns: Columns, loaded: Loaded) -> Any:
    """Return a split whose photos stay encoded."""
    from datasets import Image

    if not isinstance(split.features[columns.image], Image):
        return split
    # a streamed folder of photos is loaded with threads that decode, which a cast does not stop
    return split.decode(False) if loaded.streamed else split.cast_column(columns.image, Image(decode=False))
