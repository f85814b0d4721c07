"""What gradio's server for language models says about photos.

Gradio asks models for an http address,
or for an upload with a tool that this page does not have; the page takes the photo itself, as a data: URL.
"""

from __future__ import annotations

from typing import Any

from lookalike.space.messages import NO_ADDRESSES

PHOTO = {"format": "uri", "examples": ["data:image/jpeg;base64,/9j/4AAQSkZJRg…"]}


def ask_for_data_urls(server: Any) -> None:
    """Let gradio's MCP server ask for photos as data: URLs, and refuse others with our sentence."""
    base: Any = type(server)  # known only where the package mcp is installed

    class DataUrls(base):  # type: ignore[misc]
        def simplify_filedata_schema(self, schema: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
            simple, places = super().simplify_filedata_schema(schema)
            for (name,) in places:
                simple["properties"][name].update(PHOTO)
            return simple, places

        def get_fn_description(self, block_fn: Any, tool_name: str) -> tuple[str, dict[str, str]]:
            description, parameters = super().get_fn_description(block_fn, tool_name)
            return description.removesuffix(self._file_data_tool_description), parameters

        def convert_strings_to_filedata(self, value: Any, filedata_positions: list[Any]) -> Any:
            for (name,) in filedata_positions:
                if not str(value.get(name) or "data:").startswith("data:"):
                    raise ValueError(NO_ADDRESSES)
            return super().convert_strings_to_filedata(value, filedata_positions)

    server.__class__ = DataUrls
