"""The tools for language models, listed and called as a model's client does."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from lookalike.space.drawing.cards import encode
from lookalike.space.messages import NO_ADDRESSES
from tests.support.drawing import draw_face
from tests.support.server import serving


async def answers(address: str, photos: list[str]) -> tuple[list[Any], list[Any]]:
    """Return the tools, and the answers to these photos."""
    async with (
        streamable_http_client(f"{address}/gradio_api/mcp/") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        tools = (await session.list_tools()).tools
        calls = [{"photo": photo, "count": 2} for photo in photos]
        return tools, [await session.call_tool("find_lookalikes", call) for call in calls]


@pytest.mark.slow
def test_a_model_is_asked_for_a_data_url_and_every_argument_is_described(tmp_path: Path):
    photo = f"data:image/jpeg;base64,{base64.b64encode(encode(draw_face(3))).decode()}"
    with serving(tmp_path, "--mcp") as server:
        photos = [photo, f"{server.address}/me.jpg", "/etc/passwd"]
        tools, (found, *refused) = asyncio.run(answers(server.address, photos))
    arguments = {tool.name: tool.inputSchema["properties"] for tool in tools}
    assert list(arguments) == ["find_lookalikes", "compare"]
    assert all(each["description"] for those in arguments.values() for each in those.values())
    for each in (arguments["find_lookalikes"]["photo"], *arguments["compare"].values()):
        assert "data: URL" in each["description"] and "http" not in str(each)
        assert each["examples"][0].startswith("data:image/jpeg;base64,")
    assert not any("upload_file_to_gradio" in tool.description for tool in tools)
    assert not found.isError and '"rank": 1' in str(found.content).replace("'", '"')
    assert [(each.isError, each.content[0].text) for each in refused] == [(True, NO_ADDRESSES)] * 2
