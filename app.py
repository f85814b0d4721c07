"""Serve the page that finds celebrity look-alikes: python app.py [--gallery OWNER/NAME] [--share]"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from threadpoolctl import threadpool_limits

from lookalike.errors import LookalikeError, MissingExtraError
from lookalike.faces.detectors import DEFAULT_DETECTOR, DETECTORS
from lookalike.files import escape_unprintable_output
from lookalike.gallery.fetching import latest_version
from lookalike.models.registry import DEFAULT_MODEL, MODELS, find_model
from lookalike.space.finders import Finders, load_finders, load_only
from lookalike.space.middleware.decoders import DECODERS
from lookalike.space.refresh import GalleryRefresher

REFRESH = 10.0  # minutes: a removed person disappears soon, and a check costs one small request

# A visitor who chooses another match every second stays below it; camera frames are not counted.
SPACE_PER_MINUTE = 120

SHARE_NOTICE = (
    "Everyone who has the public link below can use the page. The link works for a week, or until this "
    "command ends; start the command again to get another one."
)


def main(arguments: Sequence[str] | None = None, *, load: Callable[..., Finders] = load_finders) -> int:
    """Serve until stopped; return 0, or 2 after an error with a sentence that says what to do."""
    escape_unprintable_output()
    options = parse(arguments)
    try:
        if options.mcp:
            check_mcp()
        model = find_model(options.model).name
        version = current_version(options.gallery, model)
        finders = load(options.gallery, model=options.model, detector=options.detector)
        start_refreshing(finders, options, model, version)
        serve(
            finders,
            share=options.share,
            mcp=options.mcp,
            per_minute=options.per_minute,
            portraits=options.portraits == "on",
        )
    except (LookalikeError, OSError) as error:  # OSError: the port is in use
        print(f"error: {error}{_origin(options, str(error))}", file=sys.stderr)
        return 2
    return 0


def _origin(options: argparse.Namespace, error: str) -> str:
    """Return which environment variable an error is about, "" if the command line says what it names."""
    named = {"LOOKALIKE_GALLERY": options.gallery, "LOOKALIKE_MODEL": options.model}
    found = [
        name for name, value in named.items() if value and value in error and os.environ.get(name) == value
    ]
    return f" ({found[0]} names it.)" if found else ""


def serve(
    finders: Finders,
    *,
    share: bool,
    mcp: bool,
    per_minute: int,
    portraits: bool = False,
    launch: Callable[[Any, dict[str, Any]], None] | None = None,
) -> None:
    """Warm up, then serve on GRADIO_SERVER_NAME and GRADIO_SERVER_PORT (by default 127.0.0.1 and 7860).

    Two requests run at a time and 40 may wait (`lookalike.space.page.page.QUEUE_LENGTH` says why); more are
    refused with a sentence. One visitor may make `per_minute` requests a minute; 0 is no limit. With
    `portraits`, people without a photo get one from Wikimedia Commons while the page is served.
    `launch` takes the page and its options, by default `serve_until_stopped`.
    """
    from lookalike.space.middleware.uploads import private_upload_folder
    from lookalike.space.portraits import start_portraits

    port = server_port()
    bypass_proxies()
    # visitors are answered in parallel; a second BLAS thread would only spin between small products
    threadpool_limits(1, user_api="blas")
    DECODERS.start()  # a process, which imports its libraries while this one goes on
    with private_upload_folder():
        with ThreadPoolExecutor(1) as executor:
            warming = executor.submit(finders.served.warm_up)
            from lookalike.space.middleware.shutdown import (
                serve_until_stopped,
            )  # importing gradio takes seconds
            from lookalike.space.page.page import build_page, launch_options, warm_up_drawing

            warming.result()
        warm_up_drawing()
        page, options = build_page(finders), launch_options(share=share, mcp=mcp, per_minute=per_minute)
        options["server_port"] = port
        if share:
            print(SHARE_NOTICE, flush=True)
        with ExitStack() as stack:
            if portraits:
                stack.callback(start_portraits(finders).stop)
            (launch or serve_until_stopped)(page, options)


def server_port() -> int:
    """Return GRADIO_SERVER_PORT, by default 7860; raise OSError if it is no port.

    Without a number, gradio would try the next ports if this one is taken.
    """
    port = os.environ.get("GRADIO_SERVER_PORT", "7860")
    if not (port.isascii() and port.isdecimal() and 0 < int(port) < 2**16):
        raise OSError(f"GRADIO_SERVER_PORT is '{port}'; set it to a number from 1 to 65535.")
    return int(port)


def bypass_proxies() -> None:
    """Exempt this machine from HTTP_PROXY and the like: gradio requests its own page at the start."""
    names = ("NO_PROXY", "no_proxy")
    listed = [host.strip() for name in names for host in os.environ.get(name, "").split(",")]
    own = os.environ.get("GRADIO_SERVER_NAME", "")
    hosts = dict.fromkeys(filter(None, [*listed, "localhost", "127.0.0.1", "::1", own]))
    os.environ.update(dict.fromkeys(names, ",".join(hosts)))


def current_version(gallery: str | None, model: str) -> str | None:
    """Return a string that changes when the gallery does, None if it is not known."""
    try:
        return latest_version(gallery, model=model) if gallery else None
    except LookalikeError:  # loading reports it, or serves the bundled gallery
        return None


def start_refreshing(finders: Finders, options: argparse.Namespace, model: str, version: str | None) -> None:
    """Check regularly for newer versions of the gallery's table for `model`, if a gallery was named."""
    if not options.gallery or options.refresh <= 0:
        return
    GalleryRefresher(
        finders,
        version=lambda: latest_version(options.gallery, model=model),
        load=lambda: load_only(options.gallery, model=options.model, detector=options.detector),
        seen=None if finders.notice else version,
    ).start(options.refresh)


def check_mcp() -> None:
    """Raise MissingExtraError if the package for language models is not installed."""
    if importlib.util.find_spec("mcp") is None:
        raise MissingExtraError(
            "--mcp needs one more package; install it with "
            f'pip install "gradio[mcp]=={importlib.metadata.version("gradio")}" and start again.'
        )


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options, from the command line or else from environment variables."""
    parser = argparse.ArgumentParser(
        prog="app.py", description="Serve the page that finds celebrity look-alikes."
    )
    parser.add_argument(
        "--gallery",
        default=os.environ.get("LOOKALIKE_GALLERY") or None,
        help="a folder, or a dataset on the Hub: owner/name or owner/name@revision (default: "
        "LOOKALIKE_GALLERY, else the gallery that comes with the project)",
    )
    parser.add_argument(
        "--model",
        default=os.environ.get("LOOKALIKE_MODEL") or DEFAULT_MODEL,
        metavar="NAME",
        help=f"{', '.join(model.name for model in MODELS)}, or the folder of a training run "
        f"(default: LOOKALIKE_MODEL, else {DEFAULT_MODEL})",
    )
    parser.add_argument(
        "--detector",
        default=DEFAULT_DETECTOR,
        metavar="NAME",
        help=f"{', '.join(DETECTORS)} (default: %(default)s)",
    )
    parser.add_argument(
        "--refresh",
        type=float,
        default=os.environ.get("LOOKALIKE_REFRESH") or REFRESH,
        metavar="MINUTES",
        help="how often to check for a newer version of the gallery, which is then served without a restart; "
        "0 is never (default: LOOKALIKE_REFRESH, else %(default)s)",
    )
    parser.add_argument(
        "--per-minute",
        type=int,
        default=os.environ.get("LOOKALIKE_PER_MINUTE")
        or (SPACE_PER_MINUTE if "SPACE_ID" in os.environ else 0),
        metavar="N",
        help="the number of requests that one visitor may make in a minute; 0 is no limit "
        f"(default: LOOKALIKE_PER_MINUTE, else {SPACE_PER_MINUTE} on a Space and 0 elsewhere)",
    )
    parser.add_argument(
        "--portraits",
        choices=("on", "off"),
        default=os.environ.get("LOOKALIKE_PORTRAITS") or "on",
        help="show people without a photo in the gallery with one from Wikimedia Commons; only names of "
        "celebrities are sent (default: LOOKALIKE_PORTRAITS, else %(default)s)",
    )
    parser.add_argument(
        "--share", action="store_true", help="also create a public link that works for a week"
    )
    parser.add_argument("--mcp", action="store_true", help="also serve language models, over MCP")
    options = parser.parse_args(arguments)
    if options.portraits not in ("on", "off"):  # argparse does not check defaults
        parser.error("LOOKALIKE_PORTRAITS must be on or off")
    return options


if __name__ == "__main__":
    sys.exit(main())
