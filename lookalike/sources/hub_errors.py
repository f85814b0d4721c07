"""Explain in one sentence why a dataset on the Hub cannot be opened, and what to do."""

from __future__ import annotations

from collections.abc import Iterator

from lookalike.hub import NO_PERMISSION, TEMPORARY, reason_of, status_of

NOT_DOWNLOADED = (
    "The Hub is switched off by HF_HUB_OFFLINE, and {spec} is no file, folder or downloaded dataset; unset "
    "HF_HUB_OFFLINE, or give --download for a dataset that was downloaded before."
)
NOT_FOUND = (
    "There is nothing at {spec}: no file or folder, and no such dataset on the Hub; check the path or the "
    "dataset's name, and set HF_TOKEN if the dataset is private."
)
NO_REVISION = (
    "The dataset {name} has no revision '{revision}'; check it on https://huggingface.co/datasets/{name}."
)
NO_ACCESS = (
    "The Hub does not let you read {spec} ({reason}); set HF_TOKEN to a token that may read it "
    "(huggingface.co/settings/tokens)."
)
GATED = (
    "The dataset {name} is gated; accept its conditions on https://huggingface.co/datasets/{name}, and set "
    "HF_TOKEN to a token of that account."
)
UNREACHABLE = "The Hub could not be reached for {spec} ({reason}); check the network, and try again later."
SCRIPT = (
    "The dataset {name} is a Python script, and scripts are not run; download its photos or its Parquet "
    "files, and give their folder."
)
SEVERAL_CONFIGS = "The dataset {name} has several configurations; choose one with --config: {choices}."
NO_CONFIG = "The dataset {name} has no such configuration; choose one with --config: {choices}."
NO_SPLIT = "The dataset {name} has no such split; choose one with --split: {choices}."
UNKNOWN_TYPE = (
    "The dataset {name} has a column that `datasets` cannot read ({reason}); download its Parquet files with "
    "`hf download {name} --repo-type dataset --local-dir FOLDER`, and give that folder."
)
CHOICES = (  # what the errors of `datasets` say before the list
    ("available configs: [", SEVERAL_CONFIGS),
    ("not found. Available: [", NO_CONFIG),
    ("Available splits: [", NO_SPLIT),
)
NOT_READABLE = (
    "The dataset {spec} cannot be read ({reason}); check --config and --split, or choose a dataset of images "
    "or Parquet files."
)


def explain(spec: str, error: Exception) -> str:
    """Return the sentence for an error that `datasets` or the Hub's client raised for `name[@revision]`."""
    name, _, revision = spec.partition("@")
    sentence = next(filter(None, map(_sentence_for, _causes(error))), NOT_READABLE)
    reason = reason_of(error).partition(" Available feature types")[0].rstrip(".")
    choices = str(error).partition("[")[2].partition("]")[0].replace("'", "")
    return sentence.format(spec=spec, name=name, revision=revision, reason=reason, choices=choices)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the error and those that it was raised from: `datasets` wraps the Hub client's errors."""
    met: set[int] = set()
    while error is not None and id(error) not in met:
        met.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _sentence_for(error: BaseException) -> str | None:
    """Return the sentence for this very error, None where it does not tell the reason."""
    from datasets.exceptions import DatasetNotFoundError
    from httpx2 import TransportError
    from huggingface_hub import errors

    text = str(error)
    status = status_of(error) if isinstance(error, Exception) else None
    if isinstance(error, errors.OfflineModeIsEnabled) or "Offline mode is enabled" in text:
        return NOT_DOWNLOADED
    if isinstance(error, errors.GatedRepoError) or (
        isinstance(error, DatasetNotFoundError) and "gated" in text
    ):
        return GATED
    if isinstance(error, errors.RevisionNotFoundError):
        return NO_REVISION
    if isinstance(error, errors.RepositoryNotFoundError | errors.HFValidationError | DatasetNotFoundError):
        return NOT_FOUND  # the Hub's answer for a private dataset is the same
    if status in NO_PERMISSION:
        return NO_ACCESS
    if isinstance(error, TransportError | ConnectionError | TimeoutError) or status in TEMPORARY:
        return UNREACHABLE
    if "scripts are no longer supported" in text:
        return SCRIPT
    if "datasets dtype equivalent" in text or "Feature type '" in text:
        return UNKNOWN_TYPE
    return next((sentence for words, sentence in CHOICES if words in text), None)
