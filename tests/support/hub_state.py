"""The repositories of the tests' Hub, and the errors that a test asks for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from fastapi import Response
from fastapi.responses import JSONResponse

TOKEN = "hf_good"
LARGE = (".parquet", ".png", ".jpg", ".webp")  # stored in LFS


@dataclass
class Commit:
    sha: str
    title: str
    files: dict[str, bytes]


@dataclass
class Repo:
    private: bool = False
    commits: list[Commit] = field(default_factory=lambda: [Commit(commit_id("first"), "initial commit", {})])

    def at(self, revision: str) -> Commit | None:
        if revision in ("main", "refs/heads/main"):
            return self.commits[-1]
        return next((commit for commit in self.commits if commit.sha == revision), None)

    def commit(self, title: str, files: dict[str, bytes]) -> Commit:
        content = sorted((path, blob_id(content)) for path, content in files.items())
        self.commits.append(Commit(commit_id(f"{len(self.commits)} {title} {content}"), title, files))
        return self.commits[-1]


@dataclass
class Fault:
    """An error for the next `times` requests whose "METHOD path" contains `part`.

    The answer has `status` and `body`, and comes after `seconds`. If `done`, the request is carried out
    anyway, as if only its answer had been lost.
    """

    part: str
    status: int
    times: int = 1
    done: bool = False
    body: bytes | None = None
    seconds: float = 0.0

    def answer(self) -> Response:
        return (
            refusal(self.status, "", "a test asked for this error")
            if self.body is None
            else Response(self.body, self.status)
        )


class Hub:
    """The state of the server, which tests set up and check."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.blobs: dict[str, bytes] = {}
        self.requests: list[str] = []
        self.faults: list[Fault] = []
        self.seconds_per_upload = 0.0

    def put(self, name: str, files: dict[str, bytes], *, private: bool = False) -> Commit:
        """Add a commit with these files, like a push."""
        repo = self.repos.setdefault(name, Repo())
        repo.private = private
        return repo.commit("by the test", {**repo.commits[-1].files, **files})

    def fail(self, part: str, status: int, *, times: int = 1, done: bool = False) -> None:
        self.faults.append(Fault(part, status, times, done))

    def answer_with(self, part: str, body: bytes, *, times: int = 10_000) -> None:
        """Answer with `body` and status 200."""
        self.faults.append(Fault(part, 200, times, body=body))

    def delay(self, part: str, seconds: float, *, times: int = 10_000) -> None:
        """Answer correctly, but after `seconds`."""
        self.faults.append(Fault(part, 0, times, seconds=seconds))

    def files(self, name: str) -> dict[str, bytes]:
        return self.repos[name].commits[-1].files

    def titles(self, name: str) -> list[str]:
        return [commit.title for commit in self.repos[name].commits[1:]]

    def fault_for(self, call: str) -> Fault | None:
        for fault in self.faults:
            if fault.part in call and fault.times > 0:
                fault.times -= 1
                return fault
        return None


def refusal(status: int, code: str, message: str) -> JSONResponse:
    headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
    return JSONResponse({"error": message}, status, headers)


def blob_id(content: bytes) -> str:
    """Return the SHA-1 of a file in git."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def commit_id(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()
