"""Write the finder as a static site: python -m lookalike.web FOLDER [--gallery GALLERY] [--runtime FOLDER]"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lookalike.errors import LookalikeError
from lookalike.finder import Lookalikes
from lookalike.web.data import MODEL, photo_files
from lookalike.web.runtime import VERSION, copied_runtime, network_runtime
from lookalike.web.site_files import site_files, write_site


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return 0, or 1 after an error, which is printed as one sentence."""
    options = _parser().parse_args(arguments)
    try:
        runtime = copied_runtime(options.runtime) if options.runtime else network_runtime()
        finder = Lookalikes.load(options.gallery, model=MODEL)
        files = site_files(finder, runtime, photo_files(finder.gallery))
        write_site(options.folder, files)
    except LookalikeError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{options.folder} cannot be written ({error.strerror}); choose another.", file=sys.stderr)
        return 1
    size = sum(map(len, files.values())) / 1e6
    print(f"{len(files)} files, {size:.1f} MB. Serve them with any web server, for example:")
    print(f"python -m http.server --directory {options.folder}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m lookalike.web", description=__doc__.partition(":")[0])
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where the site is written")
    parser.add_argument("--gallery", help="a folder or a Hub dataset; default: the bundled gallery")
    parser.add_argument(
        "--runtime",
        type=Path,
        metavar="FOLDER",
        help=f"the files of onnxruntime-web {VERSION} (unpacked from npm), copied beside the page; "
        "default: the page loads them from a content network",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
