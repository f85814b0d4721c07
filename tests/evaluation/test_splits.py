"""The split of people into training, validation and test."""

from __future__ import annotations

from pathlib import Path

from lookalike.evaluation.splits import Split, load_split, photo_key, save_split
from lookalike.names import person_key

SPLIT = Split(
    validation=("Bo",),
    test=("Aishwarya Rai",),
    test_photos=(photo_key("web", "Cy", "2.jpg"),),
    left_out=(photo_key("web", "", "9.jpg"),),
    aliases=(("aishwaryaraibachchan", "aishwaryarai"),),
)


def test_all_spellings_of_a_name_are_on_one_side():
    names = ["Aishwarya Rai", "aishwarya_rai", "AISHWARYA  RAI", "Aishwarya Rai Bachchan"]
    assert {SPLIT.side("any", name, "1.jpg") for name in names} == {"test"}


def test_each_photo_has_its_side():
    photos = [
        ("web", "Bo", "1.jpg"),
        ("web", "Cy", "2.jpg"),
        ("web", "Cy", "3.jpg"),
        ("web", "", "9.jpg"),
        ("web", "", "8.jpg"),
    ]
    assert [SPLIT.side(*photo) for photo in photos] == [
        "validation",
        "test-photo",
        "train",
        "left-out",
        "train",
    ]


def test_keys_ignore_case_accents_and_punctuation():
    assert person_key("Renée  O'Connor-Smith") == person_key("renee oconnor_smith") == "reneeoconnorsmith"
    assert person_key("राम") != person_key("रमा")


def test_a_saved_split_loads_as_it_was(tmp_path: Path):
    save_split(SPLIT, tmp_path / "split.json")
    assert load_split(tmp_path / "split.json") == SPLIT


def test_nobody_in_the_bundled_split_is_in_both_validation_and_test():
    split = load_split()
    test, validation = ({split.person(name) for name in side} for side in (split.test, split.validation))
    assert len(test) > 500 and len(validation) > 100 and not test & validation
