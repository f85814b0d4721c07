"""Serve the page that finds celebrity look-alikes: python app.py [--gallery OWNER/NAME] [--share]"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from lookalike.errors import LookalikeError, MissingExtraError, SourceError, UnreachableError
from lookalike.files import escape_unprintable_output
from lookalike.gallery.fetching import forget_version, is_gallery, latest_version
from lookalike.gallery.storage import models_in
from lookalike.hub import is_dataset_id
from lookalike.models.registry import find_model
from lookalike.sources.opening import open_source
from lookalike.space.arguments import parse
from lookalike.space.background_build import BackgroundBuild
from lookalike.space.feedback import Feedback
from lookalike.space.finders import Finders, load_finders, load_only
from lookalike.space.middleware.decoders import DECODERS
from lookalike.space.private_files import PrivateFiles
from lookalike.space.refresh import GalleryRefresher
from lookalike.web.data import MODEL as BROWSER_MODEL
from lookalike.web.runtime import copied_runtime, network_runtime

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
        model, build = find_model(options.model).name, find_build(options)
        if build:
            finders = build.open()
        else:
            version = current_version(options.gallery, model)
            finders = load(options.gallery, model=options.model, detector=options.detector)
            start_refreshing(finders, options, model, version)
        finders.feedback = Feedback(options.feedback) if options.feedback else None
        finders.private = find_private_files(finders, model, options.runtime)
        serve(
            finders,
            share=options.share,
            mcp=options.mcp,
            per_minute=options.per_minute,
            portraits=options.portraits == "on",
            build=build,
        )
    except (LookalikeError, OSError) as error:  # OSError: the port is in use
        print(f"error: {error}{_origin(options, str(error))}", file=sys.stderr)
        return 2
    return 0


def _origin(options: argparse.Namespace, error: str) -> str:
    """Return which environment variable or option an error is about, "" for neither."""
    for name, value in (("gallery", options.gallery), ("model", options.model)):
        if value and value in error:
            variable = f"LOOKALIKE_{name.upper()}"
            return f" ({variable if os.environ.get(variable) == value else f'--{name}'} names it.)"
    return ""


def find_private_files(finders: Finders, model: str, runtime: Path | None) -> PrivateFiles | None:
    """Return the files of the static site; None where no browser can run the model that is served, or the one
    that may be served later, `model`.

    `runtime` is a folder with onnxruntime-web, None for a content network. Raises MissingFileError if it is
    not the pinned version.
    """
    if {model, finders.served.embedder.model.name} != {BROWSER_MODEL}:
        return None
    return PrivateFiles(lambda: finders.served, copied_runtime(runtime) if runtime else network_runtime())


def find_build(options: argparse.Namespace) -> BackgroundBuild | None:
    """Return the build of the gallery from the photos that were named, None where a gallery was named.

    Raises SourceError if it is neither. Whether a dataset on the Hub has photos shows when it is built.
    """
    place = options.gallery
    if place is None:
        return None
    command = [sys.executable, str(Path(__file__).with_name("build_gallery.py"))]
    build = BackgroundBuild(place, model=options.model, detector=options.detector, command=command)
    try:
        if is_gallery(place):
            return None
        if Path(place).exists() or not is_dataset_id(place):
            open_source(place)
    except UnreachableError:  # an earlier build is served; otherwise loading reports the error
        return build if models_in(build.folder) else None
    except LookalikeError as error:
        raise SourceError(
            f"There is no gallery at {place}, and build_gallery.py could build none: {error}"
        ) from error
    return build


def serve(
    finders: Finders,
    *,
    share: bool,
    mcp: bool,
    per_minute: int,
    portraits: bool = False,
    build: BackgroundBuild | None = None,
    launch: Callable[[Any, dict[str, Any]], None] | None = None,
) -> None:
    """Warm up, then serve on GRADIO_SERVER_NAME and GRADIO_SERVER_PORT (by default 127.0.0.1 and 7860).

    Two requests run at a time and 40 may wait (`lookalike.space.page.page.QUEUE_LENGTH` says why); more are
    refused with a sentence. One visitor may make `per_minute` requests a minute; 0 is no limit. With
    `portraits`, people without a photo get one from Wikimedia Commons while the page is served; `build` goes
    on beside it.
    `launch` takes the page and its options, by default `serve_until_stopped`.
    """
    from lookalike.space.middleware.uploads import private_upload_folder

    port = server_port()
    bypass_proxies()
    # visitors are answered in parallel; a second BLAS thread would only spin between small products
    threadpool_limits(1, user_api="blas")
    DECODERS.start()  # a process, which imports its libraries while this one goes on
    with private_upload_folder():
        with ThreadPoolExecutor(1) as executor:
            warming = executor.submit(finders.served.warm_up)
            # importing gradio takes seconds
            from lookalike.space.middleware.shutdown import serve_until_stopped
            from lookalike.space.page.page import build_page, launch_options, warm_up_drawing

            warming.result()
        warm_up_drawing()
        page = build_page(finders)
        options = launch_options(share=share, mcp=mcp, per_minute=per_minute, private=finders.private)
        options["server_port"] = port
        if share:
            print(SHARE_NOTICE, flush=True)
        with running_beside(finders, build=build, portraits=portraits):
            (launch or serve_until_stopped)(page, options)


@contextmanager
def running_beside(finders: Finders, *, build: BackgroundBuild | None, portraits: bool) -> Iterator[None]:
    """Build the gallery and fetch portraits while the block runs."""
    from lookalike.space.portraits import PagePortraits

    with ExitStack() as stack:
        if build:
            build.start(finders)
            stack.callback(build.stop)
        if portraits:
            fetched = PagePortraits(finders)
            fetched.start()
            stack.callback(fetched.stop)
        yield


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
        forget=lambda older: forget_version(options.gallery, older),
    ).start(options.refresh)


def check_mcp() -> None:
    """Raise MissingExtraError if the package for language models is not installed."""
    if importlib.util.find_spec("mcp") is None:
        raise MissingExtraError(
            "--mcp needs one more package; install it with "
            f'pip install "gradio[mcp]=={importlib.metadata.version("gradio")}" and start again.'
        )


if __name__ == "__main__":
    sys.exit(main())
