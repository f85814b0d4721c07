"""The middleware in the order in which a request passes it."""

from __future__ import annotations

from starlette.middleware import Middleware

from lookalike.space.middleware.headers import SecurityHeaders
from lookalike.space.middleware.health import Health
from lookalike.space.middleware.json_bodies import JsonBodies
from lookalike.space.middleware.language import Language
from lookalike.space.middleware.pictures import Pictures
from lookalike.space.middleware.prefix import Prefix
from lookalike.space.middleware.private_site import PrivateSite
from lookalike.space.middleware.rate_limit import RateLimit
from lookalike.space.middleware.request_filter import RequestFilter
from lookalike.space.middleware.shares import RequestShares
from lookalike.space.middleware.streams import Streams
from lookalike.space.middleware.turns import Turns
from lookalike.space.middleware.upload_shares import UploadShares
from lookalike.space.private_files import PrivateFiles

FRAMES_PER_MINUTE = 1500  # of a visitor's cameras; two that send ten a second, and some more


def middleware(*, per_minute: int, mcp: bool, private: PrivateFiles | None) -> list[Middleware]:
    """Return the middleware; `per_minute` is the number of a visitor's requests a minute, 0 is no limit.

    `private` are the files of the static site, None to serve none.
    """
    limits = {
        "rate_limit": RateLimit(per_minute),
        "frame_limit": RateLimit(FRAMES_PER_MINUTE if per_minute else 0),
    }
    return [
        Middleware(Prefix),
        Middleware(PrivateSite, files=private),
        Middleware(SecurityHeaders),
        Middleware(Health),
        Middleware(Pictures),
        Middleware(Language),
        Middleware(RequestShares),
        Middleware(RequestFilter, **limits, mcp=mcp),
        Middleware(Turns),
        Middleware(UploadShares),
        Middleware(JsonBodies),
        Middleware(Streams),
    ]
