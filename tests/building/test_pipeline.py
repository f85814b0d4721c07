from __future__ import annotations

import errno
import io
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from datasets import load_dataset
from PIL import Image

from lookalike.building.account import Counts, Rejection
from lookalike.building.card import card, escape
from lookalike.building.ledger import Entry, Ledger
from lookalike.building.local_engine import AHEAD, in_order
from lookalike.building.options import Options
from lookalike.building.pipeline import Built, build
from lookalike.building.processing import BATCH
from lookalike.building.selection import Candidate, direction, find_copies, find_outliers, select
from lookalike.errors import SourceError
from lookalike.faces.face import Detector, Face
from lookalike.gallery.gallery import Gallery
from lookalike.gallery.standing import Standing
from lookalike.models.duplicates import copy_cosine, copy_groups
from lookalike.models.embedder import Embedder
from lookalike.names import person_key
from lookalike.sources.opening import Part, Record, Source
from tests.support.fakes import BrightDetector, ColourEmbedder, speckled, unit

RED, ORANGE, GREEN, BLUE = (200, 0, 0), (200, 60, 0), (0, 200, 0), (0, 0, 200)
BLACK = (0, 0, 0)  # BrightDetector finds no face there


def photo(colour: tuple[int, int, int], width: int = 40) -> bytes:
    file = io.BytesIO()
    Image.fromarray(speckled(colour, width)).save(file, "PNG")
    return file.getvalue()


def tall(height: int, colour: tuple[int, int, int]) -> bytes:
    """Return a photo as wide as one of BrightDetector's faces; the higher, the larger is the face in it."""
    file = io.BytesIO()
    Image.fromarray(speckled(colour, 40, height)).save(file, "PNG")
    return file.getvalue()


def record(name: str, colour: tuple[int, int, int], width: int = 40, *, row: int = 0) -> Record:
    return Record(photo(colour, width), name, f"test#{row}", "film")


def built(
    records: Iterable[Record],
    options: Options | None = None,
    *,
    ledger: Ledger | None = None,
    detector: Detector | None = None,
    embedder: Embedder | None = None,
    progress: Callable[[], object] = lambda: None,
) -> Built:
    """Build with parts that need no weights, on a ledger of its own unless one is given."""
    with TemporaryDirectory() as folder:
        return build(
            Source("test", None, (Part(lambda: iter(records)),)),
            ledger=Ledger(Path(folder)) if ledger is None else ledger,
            detector=detector or BrightDetector(),
            embedder=embedder or ColourEmbedder(),
            options=options or Options(),
            progress=progress,
        )


def test_a_build_accounts_for_every_record():
    records = [
        record("Ada", RED),
        record("Ada", BLACK),
        record("Bo", GREEN),
        record("Bo", BLUE, width=80),
        Record(b"junk", "Bo", "test#4"),
        record("Villain", RED),
        record("", RED),
        record("Cy", (255, 255, 255), width=8),
    ]
    answer = built(records, Options(excluded=frozenset([person_key("villain")])))
    reasons = ["no face", "several faces", "unreadable", "excluded", "no name", "too small"]
    assert [rejection.reason for rejection in answer.rejections] == reasons
    assert answer.counts == Counts.of(["kept", "kept", *reasons])
    assert answer.counts.total == len(records)


def test_the_account_reads_as_one_line():
    counts = Counts((("kept", 9120), ("no face", 211), ("outlier", 31)))
    assert (str(counts), counts.total) == ("kept 9,120 · no face 211 · outlier 31", 9362)
    assert str(Counts.of(["kept", "outlier"])) == (
        "kept 1 · no face 0 · several faces 0 · too small 0 · unreadable 0 · excluded 0 · outlier 1"
    )


def test_a_row_holds_photo_embedding_and_where_it_comes_from():
    gallery = built([record("Ada", RED, row=7), record("Bo", GREEN)]).gallery
    assert gallery.names == ("Ada", "Bo")
    assert gallery.embeddings == pytest.approx(np.eye(3)[:2], abs=1e-3)
    assert (gallery.origin(0), Image.open(io.BytesIO(gallery.photo(0) or b"")).size) == ("test#7", (70, 70))


def test_the_settings_are_those_of_model_and_detector():
    settings = built([record("Ada", RED)], Options(source="test", licence="cc0-1.0")).gallery.settings
    assert (settings.model, settings.detector, settings.source, settings.licence) == (
        "colour",
        "bright",
        "test",
        "cc0-1.0",
    )
    assert (settings.deepface, settings.calibration, settings.standing) == (None, None, Standing())


def test_a_person_under_two_spellings_has_the_first():
    assert built([record("Beyoncé", RED), record("BEYONCE", ORANGE)]).gallery.names == ("Beyoncé",)


def test_one_row_a_name_is_the_mean_without_photo_and_origin():
    options = Options(one_row=True)
    gallery = built([record("Ada", RED), record("Ada", GREEN), record("Bo", BLUE)], options).gallery
    assert gallery.embeddings == pytest.approx(np.stack([unit(1, 1, 0), unit(0, 0, 1)]), abs=1e-2)
    assert [(gallery.photo(row), gallery.origin(row)) for row in range(2)] == [(None, None)] * 2
    assert gallery.settings.mean_length == pytest.approx((0.5**0.5 + 1) / 2, abs=1e-3)  # Ada's mean and Bo's
    assert built([record("Ada", RED)]).gallery.settings.mean_length == 1


def test_no_photos_leaves_the_rest():
    gallery = built([record("Ada", RED)], Options(photos=False)).gallery
    assert (gallery.photo(0), gallery.origin(0)) == (None, "test#0")


def test_names_with_too_few_photos_are_left_out_and_counted():
    answer = built([record("Ada", RED), record("Ada", ORANGE), record("Bo", GREEN)], Options(min_photos=2))
    assert answer.gallery.names == ("Ada",)
    assert answer.counts["kept"] == 2 and answer.counts["of names with fewer than 2"] == 1


def test_the_best_photos_of_a_name_are_kept():
    sides = {40: RED, 100: ORANGE, 60: (200, 0, 60)}
    records = [Record(tall(side, colour), "Ada", f"test#{side}") for side, colour in sides.items()]
    answer = built(records, Options(photos_per_name=1))
    assert answer.gallery.origin(0) == "test#100"
    assert answer.counts["kept"] == 1 and answer.counts["beyond 1 a name"] == 2


def test_standing_is_what_the_best_photo_of_each_name_finds_among_the_others():
    people = [record("Ada", RED), record("Bo", ORANGE), record("Cy", BLUE)]
    standing = built(people).gallery.settings.standing.quantiles
    cosine = float(unit(200, 0, 0) @ unit(200, 60, 0))
    assert len(standing) == 101
    assert standing[-1] == pytest.approx(cosine, abs=1e-3)
    assert standing[0] == pytest.approx(0, abs=0.02)


def test_standing_photos_seen_up_photos_and_not_means():
    people = [record("Ada", RED), record("Ada", GREEN), record("Bo", RED), record("Bo", GREEN)]
    standing = built(people, Options(one_row=True)).gallery.settings.standing.quantiles
    assert standing[-1] == pytest.approx(0.5**0.5, abs=0.01)


def test_a_model_without_a_scale_gets_one_from_the_gallery():
    class Unscaled(ColourEmbedder):
        calibration = None

    people = [record("Ada", RED), record("Ada", ORANGE), record("Bo", GREEN), record("Cy", BLUE)]
    for records in (people, people[:1]):
        gallery = built(records, embedder=Unscaled()).gallery
        assert gallery.settings.calibration is not None
        scale = gallery.settings.calibration.scale
        assert scale.similarity(1.0) == 100
        assert scale.similarity(0.99) > scale.similarity(0.2)


def test_the_result_does_not_depend_on_the_threads():
    class Dawdler(BrightDetector):
        def detect(self, image: np.ndarray) -> list[Face]:
            time.sleep(0.004 * (image[0, 0, 0] % 3))
            return super().detect(image)

    colours = [(200 - place, place * 3, 50) for place in range(70)]
    records = [record(f"Name {place % 9}", colour, row=place) for place, colour in enumerate(colours)]

    def run(threads: int) -> Built:
        options = Options(threads=threads, photos_per_name=3)
        return built(records, options, detector=Dawdler())

    one, many = run(1), run(8)
    assert one.counts == many.counts
    assert one.gallery.revision == many.gallery.revision
    assert one.gallery.settings == many.gallery.settings


def test_progress_is_called_once_a_record():
    calls = []
    records = [record("Ada", RED), record("Ada", BLACK), Record(b"", "", "test")]
    built(records, progress=lambda: calls.append(1))
    assert len(calls) == 3


def test_a_source_without_a_usable_face_is_one_sentence():
    with pytest.raises(SourceError, match=r"No face of the 2 records can be kept.*no face 2"):
        built([record("Ada", BLACK), record("Bo", BLACK)])


def test_records_are_not_read_far_ahead():
    read = []

    def numbers():
        for number in range(1000):
            read.append(number)
            yield number

    results = in_order(lambda number: number * 2, numbers(), threads=2, ahead=AHEAD)
    assert [next(results) for _ in range(3)] == [0, 2, 4]
    assert len(read) < 100
    results.close()


def test_trouble_in_a_source_reaches_the_caller():
    def breaks_off():
        yield record("Ada", RED)
        raise SourceError("It breaks off.")

    with pytest.raises(SourceError, match="It breaks off"):
        built(breaks_off())


# Outliers, on hand-made vectors


def test_a_photo_closer_to_strangers_than_to_its_own_name_is_an_outlier():
    ada = np.stack([unit(1, 0, 0), unit(1, 0.1, 0), unit(1, 0, 0.1), unit(0, 1, 0)])
    bo = np.stack([unit(0, 1, 0), unit(0.1, 1, 0), unit(0, 1, 0.1)])
    assert [flags.tolist() for flags in find_outliers([ada, bo])] == [[False] * 3 + [True], [False] * 3]


def test_two_photos_that_disagree_are_both_outliers():
    ada, bo = np.stack([unit(1, 0), unit(-0.1, 1)]), np.stack([unit(0, 1)] * 3)
    assert [flags.tolist() for flags in find_outliers([ada, bo])] == [[True, True], [False] * 3]


def test_two_photos_that_differ_like_photos_of_one_person_stay():
    ada, bo = np.stack([unit(1, 0), unit(1, 1)]), np.stack([unit(0, 1)] * 3)
    assert [flags.tolist() for flags in find_outliers([ada, bo])] == [[False, False], [False] * 3]


def test_a_single_name_has_no_outliers():
    assert find_outliers([np.stack([unit(1, 0), unit(0, 1), unit(-1, 0)])])[0].tolist() == [False] * 3


def test_the_direction_is_that_of_the_photos_that_agree():
    assert direction(np.stack([unit(1, 0)] * 3 + [unit(0, 1)])) == pytest.approx(unit(1, 0))


def test_selection_drops_outliers_before_it_counts_photos():
    def faces(name: str, *vectors: np.ndarray) -> list[Candidate]:
        return [Candidate(name, vector, quality / 10, 1.0, "") for quality, vector in enumerate(vectors)]

    ada = faces("Ada", unit(1, 0, 0), unit(1, 0.3, 0), unit(1, 0, 0.3), unit(0, 1, 0))
    bo = faces("Bo", unit(0, 1, 0), unit(0.3, 1, 0), unit(0, 1, 0.3))
    cy = faces("Cy", unit(0, 0, 1))
    selection = select([*ada, *bo, *cy], photos_per_name=2, min_photos=2)
    assert selection.kept == {"Ada": [ada[2], ada[1]], "Bo": [bo[2], bo[1]]}
    assert selection.left_out == [
        (ada[3], "outlier"),
        (ada[0], "beyond"),
        (bo[0], "beyond"),
        (cy[0], "too few"),
    ]


def test_of_near_copies_the_best_is_kept():
    photos = np.stack([unit(1, 0, 0), unit(1, 0.05, 0), unit(1, 1, 0), unit(1, 1, 0.05), unit(0, 1, 0)])
    assert find_copies(list(photos), 0.99).tolist() == [False, True, False, True, False]


def test_copies_are_a_tenth_as_far_apart_as_is_usual():
    photos = np.stack([unit(1, side, 0) for side in (0, 1)])
    assert copy_cosine([photos, photos[:1]]) == pytest.approx(1 - 0.1 * (1 - 0.5**0.5))
    assert copy_cosine([photos[:1]]) == 1


def test_copies_of_copies_are_one_group():
    turned = [unit(np.cos(angle), np.sin(angle)) for angle in np.radians([0, 10, 20, 80])]
    assert copy_groups(np.stack(turned), float(np.cos(np.radians(11)))).tolist() == [0, 0, 0, 1]


def test_the_same_photo_counts_once_under_one_name_and_for_each_of_two_names():
    answer = built([record("Ada", RED), record("Bo", GREEN), record("ADA", RED), record("Bo", RED)])
    assert answer.counts["kept"] == 3 and answer.counts["duplicate"] == 1
    assert [rejection.record for rejection in answer.rejections] == ["test#0"]


def test_age_and_gender_are_columns_where_a_source_has_them(tmp_path: Path):
    known = Record(photo(RED), "Ada", "test#0", box=(0, 0, 40, 40), age=29, gender="female")
    bad = Record(b"", "Ada", "test#1", fault="impossible dates")
    answer = built([known, bad, record("Bo", GREEN)])
    assert answer.rejections == (Rejection("test#1", "impossible dates"),)
    answer.gallery.save(tmp_path)
    rows = load_dataset(str(tmp_path / "colour"), split="train", cache_dir=str(tmp_path / "cache"))
    assert (rows["age"], rows["gender"]) == ([29, None], ["female", None])
    assert Gallery.load(tmp_path, model="colour").revision == answer.gallery.revision


# Stopping and going on


class Counting(BrightDetector):
    """Counts the photos that it processed."""

    photos_seen = 0

    def detect(self, image: np.ndarray) -> list[Face]:
        self.photos_seen += 1
        return super().detect(image)


def crowd(count: int) -> list[Record]:
    """Return records of nine names, every seventh photo black."""
    return [
        record(f"Name {place % 9}", BLACK if place % 7 == 0 else (200 - place, place * 2, 50), row=place)
        for place in range(count)
    ]


def stopping(records: list[Record], after: int) -> Iterator[Record]:
    yield from records[:after]
    raise SourceError("It breaks off.")


def table_of(folder: Path, answer: Built) -> dict[str, bytes]:
    """Return the files of the gallery as it is saved."""
    answer.gallery.save(folder)
    return {path.name: path.read_bytes() for path in (folder / "colour").iterdir()}


@pytest.mark.parametrize("after", [0, 1, BATCH - 1, BATCH, 3 * BATCH + 5, 120])
def test_a_build_that_breaks_off_goes_on_and_ends_with_the_same_bytes(tmp_path: Path, after: int):
    records, detector = crowd(120), Counting()
    undisturbed = built(records)
    with pytest.raises(SourceError, match="It breaks off"):
        built(stopping(records, after), ledger=Ledger(tmp_path / "ledger"))
    resumed = built(records, ledger=Ledger(tmp_path / "ledger"), detector=detector)
    assert table_of(tmp_path / "a", resumed) == table_of(tmp_path / "b", undisturbed)
    assert resumed.rejections == undisturbed.rejections
    assert detector.photos_seen <= 120 - after // BATCH * BATCH


def test_a_grown_source_costs_only_what_is_new(tmp_path: Path):
    detector = Counting()
    built(crowd(60), ledger=Ledger(tmp_path))
    grown = built(crowd(80)[::-1], ledger=Ledger(tmp_path), detector=detector)
    assert detector.photos_seen == sum(place % 7 != 0 for place in range(60, 80))
    assert grown.gallery.revision == built(crowd(80)[::-1]).gallery.revision


def test_a_part_that_a_power_cut_tore_is_done_again(tmp_path: Path):
    built(crowd(40), ledger=Ledger(tmp_path))
    (part, *_) = sorted(tmp_path.iterdir())
    part.write_bytes(part.read_bytes()[:100])
    (tmp_path / ".part-000099-ab.partial.parquet").write_bytes(b"half")
    detector = Counting()
    again = built(crowd(40), ledger=Ledger(tmp_path), detector=detector)
    assert detector.photos_seen > 0 and not list(tmp_path.glob(".*"))
    assert again.gallery.revision == built(crowd(40)).gallery.revision


def test_a_disk_that_fills_up_stops_the_build_at_once(tmp_path: Path):
    class Full(Ledger):
        def add(self, entries: Sequence[Entry]) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        built(crowd(300), ledger=Full(tmp_path))


def test_a_ledger_gives_back_what_was_added(tmp_path: Path):
    face = Entry(b"a" * 16, None, 0.5, 0.9, unit(1, 2, 3), b"photo")
    Ledger(tmp_path).add([face, Entry(b"b" * 16, "no face")])
    ledger = Ledger(tmp_path)
    none, same = ledger.entries([b"b" * 16, b"a" * 16])
    assert (none.reason, none.embedding, len(ledger)) == ("no face", None, 2)
    assert same.embedding is not None and (same.embedding == face.embedding).all()
    assert (same.quality, same.confidence) == (0.5, 0.9)
    assert ledger.photos([b"b" * 16, b"a" * 16]) == [None, b"photo"]


# The card


def test_the_card_states_counts_and_escapes_what_it_quotes():
    answer = built([record("Ada", RED)], Options(source="<b>a|b_c</b>", licence="CC BY, say"))
    text = card(answer.gallery, ["colour", "other"], place="me/stars")
    assert text.startswith('---\nlicense: other\nlicense_name: "CC BY, say"\n')
    assert '- config_name: "colour"\n  data_files: "colour/*.parquet"\n  default: true\n' in text
    assert '- config_name: "other"\n  data_files: "other/*.parquet"\n---' in text
    assert "| source | &lt;b&gt;a\\|b\\_c&lt;/b&gt; |" in text
    assert "| kept | 1 |" in text and "| **all** | **1** |" in text


def test_escaped_text_is_one_line():
    assert escape("a\n# b `c` [d](e) & <f>") == r"a \# b \`c\` \[d\]\(e\) &amp; &lt;f&gt;"
