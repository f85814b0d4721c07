"""Check at start that the installed gradio has the private parts that the page relies on."""

from __future__ import annotations

from importlib.metadata import version
from operator import attrgetter

import gradio as gr

from lookalike.errors import VersionError

TESTED_VERSION = "6.31.0"

PARTS = (  # below the module `gradio`
    "Blocks.preprocess_data",
    "Blocks.process_api",
    "Blocks.postprocess_data",
    "Blocks.queue",
    "Image.async_move_resource_to_block_cache",
    "components.gallery.GalleryData",
    "components.gallery.GalleryImage",
    "context.LocalContext.blocks",
    "data_classes.ImageData",
    "events.EventData",
    "queueing.Queue._cancel_asyncio_tasks",
    "queueing.Queue.get_events",
    "queueing.Queue.push",
    "queueing.Queue.send_message",
    "queueing.Queue.start_processing",
    "routes.App.get_blocks",
    "routes.file_upload_statuses._signals",
    "routes.file_upload_statuses._statuses",
    "server_messages.ProcessCompletedMessage",
    "state_holder.SessionState._update_value_in_config",
    "utils.get_upload_folder",
)
PAGE_PARTS = (  # of a page that was built
    "temp_file_sets",
    "mcp_server_obj",
    "upload_file_set",
    "_queue.__len__",
    "_queue.active_jobs",
    "_queue.event_ids_to_events",
    "_queue.event_queue_per_concurrency_id",
    "_queue.max_size",
    "_queue.pending_event_ids_session",
    "_queue.pending_messages_per_session",
    "_queue.stopped",
)


def check_gradio() -> None:
    """Raise VersionError, naming every private part that the installed gradio lacks."""
    page = gr.Blocks(analytics_enabled=False)
    missing = [f"gradio.{part}" for part in PARTS if not _has(gr, part)]
    missing += [f"gradio.Blocks.{part}" for part in PAGE_PARTS if not _has(page, part)]
    if missing:
        raise VersionError(
            f"gradio {version('gradio')} has no {', '.join(missing)}, which this page needs; "
            f"install the version that it was tested with: pip install gradio=={TESTED_VERSION}"
        )


def _has(owner: object, path: str) -> bool:
    try:
        attrgetter(path)(owner)
    except AttributeError:
        return False
    return True
