"""Wikipedia, Wikidata and Commons for tests: one server on loopback with made-up articles.

A client asks it for BASE/HOST/PATH (see `lookalike.portraits.client`). Tests add articles and `faults`.
"""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

WIKIPEDIA, WIKIDATA, COMMONS = "en.wikipedia.org", "www.wikidata.org", "commons.wikimedia.org"
MEDIA = "thumb.wikimedia.org"


@dataclass
class Article:
    """An article, its entity, and its picture with what Commons says about it."""

    title: str
    entity: str
    picture: bytes | None = None
    file: str = ""
    free: bool = True
    disambiguation: bool = False
    claims: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    credit: dict[str, str] = field(default_factory=dict)


@dataclass
class WikimediaServer:
    """What the server knows and has seen; `requests` are (host, parameters or path) in order."""

    base: str = ""
    articles: dict[str, Article] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    faults: dict[str, list[Callable[[Handler], None]]] = field(default_factory=lambda: defaultdict(list))
    requests: list[tuple[str, Any]] = field(default_factory=list)
    user_agents: set[str] = field(default_factory=set)
    part: int = 50  # pages a part of an answer of Wikipedia
    running: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    peaks: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(
        self,
        title: str,
        picture: bytes | None = None,
        *,
        file: str = "",
        free: bool = True,
        disambiguation: bool = False,
        human: bool = True,
        born: int | None = None,
        gender: str = "",
        occupations: Sequence[str] = (),
        countries: Sequence[str] = (),
        **credit: str,
    ) -> Article:
        """Add an article; occupations and countries are given by their English labels."""
        claims = {
            "P31": [_item("Q5" if human else "Q860861")],
            "P106": [_item(self._entity_of(each)) for each in occupations],
            "P27": [_item(self._entity_of(each)) for each in countries],
        }
        if gender:
            claims["P21"] = [_item({"man": "Q6581097", "woman": "Q6581072"}[gender])]
        if born:
            claims["P569"] = [_claim({"time": f"+{born}-01-01T00:00:00Z", "precision": 9})]
        known = {"Artist": "A Photographer", "LicenseShortName": "CC BY-SA 4.0", **credit}
        known.setdefault("LicenseUrl", "https://creativecommons.org/licenses/by-sa/4.0")
        entity = f"Q{1000 + len(self.articles)}"
        article = Article(title, entity, picture, file or f"{title}.jpg", free, disambiguation, claims, known)
        self.articles[title] = article
        return article

    def hosts(self) -> list[str]:
        """Return the hosts of all requests, in order."""
        return [host for host, _ in self.requests]

    def _entity_of(self, label: str) -> str:
        for entity, known in self.labels.items():
            if known == label:
                return entity
        entity = f"Q{5000 + len(self.labels)}"
        self.labels[entity] = label
        return entity


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    wikimedia: WikimediaServer
    lock = threading.Lock()

    def do_GET(self) -> None:
        state = self.wikimedia
        url = urlsplit(self.path)
        host, _, path = url.path.lstrip("/").partition("/")
        parameters = {key: values[0] for key, values in parse_qs(url.query).items()}
        kind = "media" if host == MEDIA else "api"
        with self.lock:
            state.requests.append((host, unquote(path) if kind == "media" else parameters))
            state.user_agents.add(self.headers["User-Agent"])
            state.running[kind] += 1
            state.peaks[kind] = max(state.peaks[kind], state.running[kind])
            faults = state.faults.get(unquote(path)) or state.faults.get(host)
            fault = faults.pop(0) if faults else None
        try:
            if fault:
                fault(self)
            elif kind == "media":
                self.send_picture(unquote(path))
            else:
                answers = {WIKIPEDIA: pages, WIKIDATA: entities, COMMONS: files}
                self.send_json(answers[host](state, parameters))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with self.lock:
                state.running[kind] -= 1

    def send_json(self, answer: object) -> None:
        body = json.dumps(answer).encode()
        packed = "gzip" in self.headers.get("Accept-Encoding", "")
        headers = {"Content-Type": "application/json", **({"Content-Encoding": "gzip"} if packed else {})}
        self.send(200, gzip.compress(body) if packed else body, **headers)

    def send_picture(self, file: str) -> None:
        found = [a.picture for a in self.wikimedia.articles.values() if a.file == file and a.picture]
        self.send(200 if found else 404, found[0] if found else b"", **{"Content-Type": "image/jpeg"})

    def send(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.send_header("Set-Cookie", "seen=1; Path=/")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def pages(state: WikimediaServer, parameters: dict[str, str]) -> dict[str, Any]:
    """Answer Wikipedia's Action API, in parts of `state.part` pages."""
    query: dict[str, Any] = {"normalized": [], "redirects": [], "pages": []}
    for title in parameters["titles"].split("|"):
        normal = title[:1].upper() + title[1:].replace("_", " ")
        if normal != title:
            query["normalized"].append({"fromencoded": False, "from": title, "to": normal})
        target = state.redirects.get(normal, normal)
        if target != normal:
            query["redirects"].append({"from": normal, "to": target})
        query["pages"].append(_page(state.articles.get(target), target, parameters["pilicense"]))
    start = int(parameters.get("picontinue", 0))
    for place, page in enumerate(query["pages"]):
        if not start <= place < start + state.part:
            page.pop("pageimage", None)
    answer: dict[str, Any] = {"query": query}
    if start + state.part < len(query["pages"]):
        answer["continue"] = {"picontinue": start + state.part, "continue": "||pageprops"}
    return answer


def entities(state: WikimediaServer, parameters: dict[str, str]) -> dict[str, Any]:
    """Answer Wikidata's wbgetentities with claims or labels."""
    wanted = parameters["ids"].split("|")
    if parameters["props"] == "labels":
        labels = {each: {"en": {"language": "en", "value": state.labels[each]}} for each in wanted}
        return {"entities": {each: {"id": each, "labels": labels[each]} for each in wanted}}
    claims = {article.entity: article.claims for article in state.articles.values()}
    return {"entities": {each: {"id": each, "claims": claims.get(each, {})} for each in wanted}, "success": 1}


def files(state: WikimediaServer, parameters: dict[str, str]) -> dict[str, Any]:
    """Answer Commons with thumbnails and credits; pages come in another order than asked."""
    known = {f"File:{article.file}": article for article in state.articles.values()}
    found = []
    for title in reversed(parameters["titles"].split("|")):
        article = known.get(title)
        if article is None:
            found.append({"title": title, "missing": True})
            continue
        fields = {
            key: {"value": value, "source": "commons-desc-page"} for key, value in article.credit.items()
        }
        info = {"thumburl": f"https://{MEDIA}/{quote(article.file)}", "extmetadata": fields}
        found.append({"title": title, "imageinfo": [info]})
    return {"query": {"pages": found}}


def _page(article: Article | None, title: str, licence: str) -> dict[str, Any]:
    if article is None:
        return {"title": title, "missing": True}
    properties = {"wikibase_item": article.entity}
    if article.disambiguation:
        properties["disambiguation"] = ""
    shown = article.picture is not None and (article.free or licence != "free")
    picture = {"pageimage": article.file.replace(" ", "_")} if shown else {}
    return {"title": title, "pageprops": properties, **picture}


def _item(entity: str) -> dict[str, Any]:
    return _claim({"entity-type": "item", "id": entity})


def _claim(value: dict[str, Any]) -> dict[str, Any]:
    return {"mainsnak": {"snaktype": "value", "datavalue": {"value": value}}, "rank": "normal"}


def busy(retry_after: str, status: int = 429) -> Callable[[Handler], None]:
    """A fault: the server asks to come back later."""
    return lambda handler: handler.send(status, **{"Retry-After": retry_after})


def moved(target: str) -> Callable[[Handler], None]:
    """A fault: a redirect."""
    return lambda handler: handler.send(302, Location=target)


def slow(seconds: float) -> Callable[[Handler], None]:
    """A fault: nothing comes for some seconds, and then an empty answer."""

    def answer(handler: Handler) -> None:
        time.sleep(seconds)
        handler.send(200)

    return answer


def together(count: int) -> Callable[[Handler], None]:
    """A fault: nothing comes until so many requests wait, and then an empty answer to each."""
    barrier = threading.Barrier(count)

    def answer(handler: Handler) -> None:
        barrier.wait(timeout=60)  # seconds: a shared machine under load
        time.sleep(0.1)  # so that one more would be seen
        handler.send(200)

    return answer


def cut_off(handler: Handler) -> None:
    """A fault: the connection ends in the middle of the answer."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    handler.wfile.write(b"{")
    handler.close_connection = True


def content(body: bytes, **headers: str) -> Callable[[Handler], None]:
    """A fault: other content."""
    return lambda handler: handler.send(200, body, **headers)


@contextmanager
def serve_wikimedia() -> Iterator[WikimediaServer]:
    """Serve on loopback until the block ends."""
    state = WikimediaServer()
    handler = type("StatefulHandler", (Handler,), {"wikimedia": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    state.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
