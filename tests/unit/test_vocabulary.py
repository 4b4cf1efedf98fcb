from hyperx_glance.models.editing import ImageChanges
from hyperx_glance.models.image import Image
from hyperx_glance.models.registering import NewImage, NewIso
from hyperx_glance.vocabulary import BASE_KEYS, BY_FIELD, WORDS, Writer, glance_key


def test_each_field_and_each_key_stands_once() -> None:
    assert len({word.field for word in WORDS}) == len({word.key for word in WORDS}) == len(WORDS)


def test_every_field_of_an_image_is_in_the_table() -> None:
    assert set(Image.model_fields) <= set(BY_FIELD)


def test_what_is_ours_carries_our_prefix_and_both_languages() -> None:
    for word in WORDS:
        assert word.own == word.key.startswith("hyperx_")
        assert word.title
        assert word.title_zh
        if word.own:
            assert word.custom
            assert word.description
            assert word.description_zh


def test_what_can_be_edited_may_be_written_by_the_owner() -> None:
    beyond_the_table = {"category", "properties", "remove_properties"}
    editable = set(ImageChanges.model_fields) - beyond_the_table

    assert {BY_FIELD[field].writer for field in editable} == {Writer.OWNER, Writer.STEWARD}


def test_what_is_asked_at_creation_is_in_the_table() -> None:
    beyond_the_table = {"category", "properties", "checksum"}

    assert (set(NewImage.model_fields) | set(NewIso.model_fields)) - beyond_the_table <= set(BY_FIELD)


def test_a_derived_field_keeps_its_name() -> None:
    assert glance_key("phase") == "phase"


def test_properties_of_ours_are_no_columns() -> None:
    assert not {word.key for word in WORDS if word.custom} & BASE_KEYS
