"""What the running page sends to Wikimedia: names of the gallery in full rounds, or nothing at all."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lookalike.gallery.gallery import Gallery
from tests.support.drawing import draw_face
from tests.support.server import data_url, encoded, outcome, serving
from tests.support.wikimedia_server import WIKIPEDIA, serve_wikimedia

pytestmark = pytest.mark.attack

CONTACT = "operator@example.org"
VISITOR = "94.75.12.34"
PARAMETERS = {"action", "format", "formatversion", "redirects", "titles", "prop"}
PARAMETERS |= {"piprop", "pilimit", "pilicense", "ppprop"}


def test_only_names_of_the_gallery_leave_in_full_rounds(tmp_path: Path):
    names = set(Gallery.load().names)
    variables = {"LOOKALIKE_PORTRAITS": "on", "LOOKALIKE_CONTACT": CONTACT}
    with (
        serve_wikimedia() as wikimedia,
        serving(tmp_path, LOOKALIKE_WIKIMEDIA=wikimedia.base, **variables) as server,
    ):
        photo = data_url(encoded(draw_face(3)))
        assert outcome(server.ask(photo, **{"x-forwarded-for": VISITOR})).startswith("answer")
        deadline = time.monotonic() + 60
        while wikimedia.hosts().count(WIKIPEDIA) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    for host, parameters in wikimedia.requests[:3]:
        titles = parameters["titles"].split("|")
        assert host == WIKIPEDIA and set(parameters) == PARAMETERS
        assert len(titles) == 50 and set(titles) <= names
    (agent,) = wikimedia.user_agents
    assert agent.startswith("lookalike/") and CONTACT in agent


def test_nothing_leaves_when_portraits_are_off(tmp_path: Path):
    with (
        serve_wikimedia() as wikimedia,
        serving(tmp_path, "--portraits", "off", LOOKALIKE_WIKIMEDIA=wikimedia.base) as server,
    ):
        assert outcome(server.ask(data_url(encoded(draw_face(3))))).startswith("answer")
        time.sleep(3)
    assert wikimedia.requests == []
