"""The HTTP client for Wikimedia: fixed hosts, limited size and rate, retries, and nothing that identifies.

Answers are hostile until checked. The client connects to HOSTS only, over HTTPS, and to public addresses
only; it follows no redirect to another host, keeps no cookies and sends no credentials. Behind a proxy
(HTTPS_PROXY) the address is the proxy's, and the certificate alone shows that a host is Wikimedia's.
"""

from __future__ import annotations

import ipaddress
import json
import threading
import time
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.request import getproxies

import httpx

from lookalike import __version__
from lookalike.errors import ImageError, WikimediaError
from lookalike.portraits.pace import Pace, retry_after

WIKIPEDIA, WIKIDATA, COMMONS = "en.wikipedia.org", "www.wikidata.org", "commons.wikimedia.org"
API_HOSTS = (WIKIPEDIA, WIKIDATA, COMMONS)
MEDIA_HOSTS = ("upload.wikimedia.org", "thumb.wikimedia.org")
HOSTS = (*API_HOSTS, *MEDIA_HOSTS)

API_AT_ONCE = 3  # requests; Wikimedia asks for no more
MEDIA_AT_ONCE = 2
PER_MINUTE = 180  # requests; Wikimedia allows about 200 with a contact in the User-Agent
PER_MINUTE_UNKNOWN = 10  # and about 10 without one

MAX_ANSWER = 4_000_000  # bytes of JSON; 50 entities of Wikidata take about one million
MAX_PICTURE = 3_000_000  # bytes; a JPEG 500 pixels wide takes about 60,000
MAX_REDIRECTS = 3
TIMEOUT = 20.0  # seconds without a byte
DEADLINE = 60.0  # seconds for a whole answer, which may arrive byte by byte
TRIES = 4
FIRST_WAIT = 1.0  # seconds after the first failure, twice as long after each further one
MAX_WAIT = 120.0  # seconds; if Wikimedia asks for more, the caller decides
TEMPORARY = (408, 425, 429, 500, 502, 503, 504)  # statuses
BUSY = ("maxlag", "ratelimited", "readonly")  # codes of errors that arrive with status 200


class Refused(Exception):
    """An answer that the client does not accept, with the reason; another try would not help."""


class WikimediaClient:
    """Sends requests to Wikimedia. Safe to use from several threads.

    `contact` is an address under which Wikimedia can reach the operator. `base` is the address of a server
    for tests, which gets every request instead, as BASE/HOST/PATH. `per_minute` limits requests and is by
    default what Wikimedia allows. `first_wait`, `timeout` and `transport` are for tests too.
    """

    def __init__(
        self,
        *,
        contact: str = "",
        base: str = "",
        per_minute: float | None = None,
        first_wait: float = FIRST_WAIT,
        timeout: float = TIMEOUT,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._base, self._first_wait = base.rstrip("/"), first_wait
        self._pace = Pace(per_minute or (PER_MINUTE if contact else PER_MINUTE_UNKNOWN))
        self._api, self._media = (threading.BoundedSemaphore(n) for n in (API_AT_ONCE, MEDIA_AT_ONCE))
        proxied = not base and transport is None and not getproxies().keys().isdisjoint(("https", "all"))
        self._checks_peer = not base and not proxied
        self._http = httpx.Client(
            headers={"User-Agent": user_agent(contact)},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            timeout=timeout,
            trust_env=proxied,
            transport=transport,
        )

    def query(self, host: str, parameters: Mapping[str, str]) -> dict[str, Any]:
        """Return the JSON object that an API answers; raise WikimediaError if there is none.

        The request is a GET with `format=json`.
        """
        url = httpx.URL(scheme="https", host=host, path="/w/api.php", params={"format": "json", **parameters})
        for attempt in range(TRIES):
            try:
                content = self._get(
                    str(url),
                    API_HOSTS,
                    limit=MAX_ANSWER,
                    slots=self._api,
                    headers={"Accept-Encoding": "gzip"},
                )
                answer = json.loads(content)
            except (Refused, ValueError, RecursionError) as error:  # ValueError: not JSON
                raise WikimediaError(f"{host} sent an answer that cannot be used: {error}") from error
            code = _error_code(answer)
            if code not in BUSY:
                break
            self._pace.hold(self._first_wait * 2**attempt)
        if not isinstance(answer, dict) or code:
            raise WikimediaError(f"{host} sent an answer that cannot be used: {code or 'not an object'}")
        return answer

    def picture(self, url: str) -> bytes:
        """Return the bytes of a picture from MEDIA_HOSTS.

        Raises ImageError if it cannot be had or is too large, WikimediaError if Wikimedia does not answer.
        """
        headers = {"Accept-Encoding": "identity", "Accept": "image/jpeg,image/png,image/webp"}
        try:
            return self._get(url, MEDIA_HOSTS, limit=MAX_PICTURE, slots=self._media, headers=headers)
        except Refused as error:
            raise ImageError(f"The picture cannot be downloaded: {error}.") from error

    def close(self) -> None:
        """End all waiting; running and further requests raise WikimediaError."""
        self._pace.stop()
        self._http.close()

    def _get(
        self,
        url: str,
        hosts: Collection[str],
        *,
        limit: int,
        slots: AbstractContextManager[Any],
        headers: Mapping[str, str],
    ) -> bytes:
        """Return the content at `url`; try again after temporary errors."""
        reason = ""
        for attempt in range(TRIES):
            self._pace.wait()
            wait = self._first_wait * 2**attempt
            try:
                with slots:
                    status, after, content = self._follow(url, hosts, limit, headers)
            except (httpx.HTTPError, httpx.StreamError, RuntimeError) as error:  # RuntimeError: closed
                if self._pace.stopped:
                    break
                reason = type(error).__name__
            else:
                if status == 200:
                    return content
                if status not in TEMPORARY:
                    raise Refused(f"status {status}")
                reason = f"status {status}"
                wait = wait if after is None else after
                if wait > MAX_WAIT:
                    raise WikimediaError(f"Wikimedia asks to wait for {wait:.0f} s.", retry_after=wait)
            self._pace.hold(wait)
        raise WikimediaError(f"Wikimedia does not answer ({reason or 'stopped'}).")

    def _follow(
        self, url: str, hosts: Collection[str], limit: int, headers: Mapping[str, str]
    ) -> tuple[int, float | None, bytes]:
        """Return status, seconds of Retry-After and content, after redirects within `hosts`."""
        for _ in range(MAX_REDIRECTS + 1):
            with self._http.stream("GET", self._address(url, hosts), headers=headers) as response:
                self._check_peer(response)
                if not response.has_redirect_location:
                    content = _read(response, limit) if response.status_code == 200 else b""
                    return response.status_code, retry_after(response.headers.get("Retry-After")), content
                url = _target(url, response.headers["Location"])
        raise Refused("too many redirects")

    def _address(self, url: str, hosts: Collection[str]) -> httpx.URL:
        """Return where to get `url`: itself, or its place on a stand-in server. Raise Refused unless it is
        plain HTTPS on one of `hosts`.
        """
        try:
            parsed = httpx.URL(url)
        except (httpx.InvalidURL, TypeError) as error:
            raise Refused("an address that cannot be read") from error
        if parsed.scheme != "https" or parsed.host not in hosts or parsed.port or parsed.userinfo:
            raise Refused("an address outside Wikimedia")
        if not self._base:
            return parsed
        return httpx.URL(f"{self._base}/{parsed.host}{parsed.raw_path.decode('ascii')}")

    def _check_peer(self, response: httpx.Response) -> None:
        """Raise Refused if the name of the host led to a machine in a private network."""
        stream = response.extensions.get("network_stream")
        peer = stream.get_extra_info("server_addr") if stream is not None else None
        if self._checks_peer and peer and not is_public(peer[0]):
            raise Refused("a private address")


def user_agent(contact: str) -> str:
    """Return the User-Agent in the form that Wikimedia asks for: client/version (contact) library/version."""
    clean = "".join(c for c in contact if c.isascii() and c.isprintable() and c not in "()").strip()[:200]
    return f"lookalike/{__version__} {f'({clean}) ' if clean else ''}httpx/{httpx.__version__}"


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the public Internet."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_global and not parsed.is_multicast


def _read(response: httpx.Response, limit: int) -> bytes:
    """Return the decompressed content; raise Refused beyond `limit` bytes or DEADLINE seconds."""
    # gzip alone: it grows at most a thousandfold, so one chunk of the network stays below 70 MB.
    if response.headers.get("Content-Encoding", "identity").lower() not in ("gzip", "identity"):
        raise Refused("a compression that was not asked for")
    content, deadline = bytearray(), time.monotonic() + DEADLINE
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > limit:
            raise Refused(f"more than {limit / 1e6:.0f} MB")
        if time.monotonic() > deadline:
            raise Refused("too slow")
    return bytes(content)


def _target(url: str, location: str) -> str:
    try:
        return str(httpx.URL(url).join(location))
    except httpx.InvalidURL as error:
        raise Refused("a redirect that cannot be read") from error


def _error_code(answer: object) -> str:
    error = answer.get("error") if isinstance(answer, dict) else None
    if error is None:
        return ""
    code = error.get("code") if isinstance(error, dict) else None
    return str(code or "unknown error")[:50]
