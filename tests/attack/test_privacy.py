"""After a visit to the running page, nothing of its photo, file name and address is left anywhere."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import os
import re
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from lookalike.gallery.gallery import Gallery
from lookalike.space.drawing.cards import picture_of
from lookalike.space.middleware.uploads import LOCK
from tests.support.drawing import draw_face
from tests.support.server import API, Server, data_url, outcome, serving
from tests.support.table import Table

pytestmark = pytest.mark.attack

# a public address that is in no file, as reported by a proxy
VISITOR = f"94.75.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
LATER = 60.0  # seconds after the visit, when nothing may be left
KEPT = ("vibe_edit_history", LOCK)  # gradio's empty folder, and the lock that says whose the folder is
LARGEST = 50_000_000  # bytes; larger files are not searched, no photo is larger
NOT_DISKS = ("/proc", "/sys", "/dev")
HERE = {"127.0.0.1", "localhost", "::1", "0.0.0.0", "None"}


@dataclass
class Visit:
    """What a visitor sent and received."""

    server: Server
    audit_log: Path
    started: float
    photo: bytes
    name: str
    secret: bytes
    answers: list[str]
    uploads: list[str]
    session: str
    ended: float = 0.0


def a_photo(secret: bytes) -> bytes:
    """A JPEG with a location, and with a secret in its EXIF and in a comment."""
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x010E] = secret.decode()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 36.0)})
    picture = Image.fromarray(draw_face(seed=int(secret[:6], 16)))
    picture.save(buffer, "JPEG", exif=exif, comment=secret)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    folder, started = tmp_path_factory.mktemp("privacy"), time.time()
    audit_log, secret = folder / "audit-log", secrets.token_hex(12).encode()
    before = "import tests.support.audit"
    with serving(folder / "server", before=before, AUDIT_LOG=str(audit_log)) as server:
        server.client.headers["x-forwarded-for"] = VISITOR
        name = f"holiday{secrets.token_hex(6)}.jpg"
        visit = Visit(server, audit_log, started, a_photo(secret), name, secret, [], [], secrets.token_hex(6))
        everything(visit)
        visit.ended = time.monotonic()
        yield visit


def everything(visit: Visit) -> None:
    """Do everything that a visitor can do, and leave some of it unfinished."""
    server, session = visit.server, visit.session
    photo = upload(visit)
    visit.answers.append(server.join(server.listener("find"), [photo, 5, None, ""], session))
    plain = next(value for value in output(visit.answers[0]) if isinstance(value, dict) and "url" in value)
    for listener in ("choose_face", "explain", "share"):
        places = [0] if listener == "choose_face" else [0, 0]
        answer = server.join(server.listener(listener), [plain, None, *places], session)
        assert "no longer here" not in answer
        visit.answers.append(answer)
    compared = server.listener("compare_photos")
    visit.answers.append(server.join(compared, [upload(visit), upload(visit)], secrets.token_hex(6)))
    visit.answers.append(server.ask(upload(visit)))
    visit.answers.append(server.ask(data_url(visit.photo)))
    visit.answers.append(server.ask(upload(visit), upload(visit), endpoint="compare"))
    upload(visit)  # without a request that uses it
    break_off(visit)
    server.client.post(
        server.url(f"{API}/call/find_lookalikes"), json={"data": [upload(visit)]}
    )  # the answer is not fetched
    server.ask({"path": f"/{visit.name}"})
    server.ask({"path": f"http://{VISITOR}/{visit.name}"})
    server.ask(data_url(visit.photo), visit.name)
    server.client.get(server.url(f"/{visit.name}"))


def upload(visit: Visit) -> dict[str, Any]:
    sent = visit.server.upload(visit.photo, visit.name)
    visit.uploads.append(sent["path"])
    return sent


def break_off(visit: Visit) -> None:
    """Send half of an upload and close the connection."""
    host, port = visit.server.address.removeprefix("http://").split(":")
    form = f'--x\r\nContent-Disposition: form-data; name="files"; filename="{visit.name}"\r\n\r\n'.encode()
    head = f"POST {API}/upload HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\n"
    with socket.create_connection((host, int(port))) as line:
        line.sendall(f"{head}Content-Length: {len(form) + len(visit.photo)}\r\n\r\n".encode())
        line.sendall(form + visit.photo[:-100])
        time.sleep(1)


def output(answer: str) -> list[Any]:
    events = [json.loads(line[6:]) for line in answer.splitlines() if line.startswith("data: ")]
    return next(event["output"]["data"] for event in events if event.get("msg") == "process_completed")


def pictures(answers: list[str]) -> list[bytes]:
    """Return all pictures that were returned as data."""
    found = re.findall(r"data:image/[a-z]+;base64,([A-Za-z0-9+/=]+)", "".join(answers))
    return [base64.b64decode(text) for text in found]


def needles(visit: Visit) -> dict[str, bytes]:
    """What must not be found anywhere, by its label in this test."""
    middle = len(visit.photo) // 2
    names = set(re.findall(r"\d+ · ([^·\"]+) · \d+ %", visit.answers[0]))
    gallery = Gallery.load()
    cards = [picture_of(name, None, gallery.facts_of(name)) for name in names]  # other tests draw them too
    assert len(cards) == 5
    returned = {
        f"returned picture {number}": picture[len(picture) // 2 :][:48]
        for number, picture in enumerate(pictures(visit.answers[:4]))
        if picture not in cards
    }
    return {
        "the file's name": visit.name.encode(),
        "the secret in the photo": visit.secret,
        "the photo": visit.photo[middle : middle + 48],
        "the photo's hash": hashlib.sha256(visit.photo).hexdigest().encode(),
        "the visitor's address": VISITOR.encode(),
        **returned,
    }


def test_all_requests_were_answered(visit: Visit):
    for number, answer in enumerate(visit.answers[:5]):
        assert '"success":true' in answer, f"{number}: {answer[-500:]}"
    assert outcome(visit.answers[5]) == outcome(visit.answers[6]) and '"same": true' in visit.answers[7]


def test_pictures_of_a_face_are_returned_as_data_without_metadata(visit: Visit):
    shown = pictures(visit.answers)
    assert len(shown) > 8
    for picture in shown:
        opened = Image.open(io.BytesIO(picture))
        assert not opened.getexif() and not {"exif", "comment", "icc_profile", "xmp"} & set(opened.info)
        assert visit.secret not in picture
    files = set(re.findall(r'"path": ?"([^"]+)"', "".join(visit.answers)))
    assert files and all(
        Path(path).name == "picture.jpg" for path in files
    )  # of the gallery, drawn by the page


def test_an_upload_cannot_be_downloaded_after_it_was_read(visit: Visit):
    for path in set(visit.uploads):
        deadline = time.monotonic() + LATER
        while visit.server.client.get(visit.server.url(f"{API}/file={path}")).status_code != 404:
            assert time.monotonic() < deadline, path
            time.sleep(1)


def test_another_session_cannot_get_anything_of_this_one(visit: Visit):
    server = visit.server
    plain = next(value for value in output(visit.answers[0]) if isinstance(value, dict) and "url" in value)
    for listener in ("explain", "share"):
        other = server.join(server.listener(listener), [plain, None, 0, 0], secrets.token_hex(6))
        assert '"success":false' in other and "base64" not in other, other
    with contextlib.suppress(httpx.ReadTimeout):  # there is no data, and the connection stays open
        data = {"session_hash": visit.session}
        again = server.client.get(server.url(f"{API}/queue/data"), params=data, timeout=10)
        assert "base64" not in again.text
    assert (
        server.client.get(
            server.url("/gradio_api/deep_link"), params={"session_hash": visit.session}
        ).status_code
        == 404
    )


def test_nothing_is_left_a_minute_later(visit: Visit, request: pytest.FixtureRequest):
    """Wait until gradio's folder is empty, then search the log and every new file of this machine."""
    (folder,) = (visit.server.home / "tmp").glob("lookalike-*")
    while left := sorted(str(path) for path in folder.rglob("*") if path.name not in KEPT):
        assert time.monotonic() - visit.ended < LATER, left
        time.sleep(1)
    seconds, sought = time.monotonic() - visit.ended, needles(visit)
    found = [
        f"{what} in {path}"
        for path, content in new_files(visit.started)
        if path != str(visit.audit_log)
        for what in matches(sought, path, content)
    ]
    assert not found
    table = Table("after a visit", "")
    table.row("the folder of uploads is empty", f"after {seconds:.0f} s")
    table.row(
        "sought on the whole disk and in the log", ", ".join(sorted(sought)[-5:]) + ", returned pictures"
    )
    table.row("found", len(found))
    table.show(request)


def matches(sought: dict[str, bytes], path: str, content: bytes) -> list[str]:
    return [what for what, needle in sought.items() if needle in content or needle in os.fsencode(path)]


def new_files(started: float) -> Iterator[tuple[str, bytes]]:
    """Yield the files of all disks that changed since then, including the server's log."""
    apart = [word for place in NOT_DISKS for word in ("-path", place, "-prune", "-o")]
    asked = ["find", "/", *apart, "-type", "f", "-newerct", f"@{started - 1:.0f}", "-print0"]
    found = subprocess.run(
        asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )  # some are deleted meanwhile
    for path in map(os.fsdecode, found.stdout.split(b"\0")[:-1]):
        with contextlib.suppress(OSError):
            if os.path.getsize(path) < LARGEST:
                yield path, Path(path).read_bytes()


def test_the_log_contains_the_address_of_the_page_and_nothing_else(visit: Visit):
    lines = [line for line in visit.server.log.read_text().splitlines() if line.strip()]
    assert all(
        line.startswith(("The page is at http", "Matplotlib is building the font cache"))
        or "a request failed" in line
        for line in lines
    ), lines


def test_nothing_is_sent_to_others_or_written_elsewhere(visit: Visit):
    audit_log = [line.split(" ", 1) for line in visit.audit_log.read_text().splitlines()]
    assert {whom for what, whom in audit_log if what in ("connect", "resolve")} <= HERE
    inside = (str(visit.server.home), "/dev/")
    assert [where for what, where in audit_log if what == "write" and not where.startswith(inside)] == []
    home = [path for path in (visit.server.home / "home").rglob("*") if path.is_file()]
    assert not [path for path in home if "deviceid" in str(path).lower() or "telemetry" in str(path).lower()]
