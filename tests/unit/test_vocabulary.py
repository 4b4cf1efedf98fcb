"""The table of fields is complete and consistent."""

from hyperx_glance.models.editing import ImageChanges
from hyperx_glance.models.image import Image
from hyperx_glance.models.registering import NewImage, NewIso
from hyperx_glance.vocabulary import BASE_KEYS, BY_NAME, FIELDS, Stored, Writer, glance_key


def test_each_field_and_each_key_stands_once() -> None:
    assert len({field.name for field in FIELDS}) == len({field.key for field in FIELDS}) == len(FIELDS)


def test_every_field_of_an_image_is_in_the_table() -> None:
    assert set(Image.model_fields) <= set(BY_NAME)


def test_our_own_properties_have_our_prefix_and_texts_in_both_languages() -> None:
    for field in FIELDS:
        assert field.own == field.key.startswith("hyperx_")
        assert field.title
        assert field.title_zh
        if field.own:
            assert field.stored is not Stored.COLUMN
            assert field.description
            assert field.description_zh


def test_editable_fields_are_written_by_the_owner_or_a_steward() -> None:
    beyond_the_table = {"category", "properties", "remove_properties"}
    editable = set(ImageChanges.model_fields) - beyond_the_table

    assert {BY_NAME[field].writer for field in editable} == {Writer.OWNER, Writer.STEWARD}


def test_every_field_of_a_new_image_is_in_the_table() -> None:
    beyond_the_table = {"category", "properties", "checksum", "file", "unpack", "checksum_url"}

    assert (set(NewImage.model_fields) | set(NewIso.model_fields)) - beyond_the_table <= set(BY_NAME)


def test_a_derived_field_keeps_its_name() -> None:
    assert glance_key("phase") == "phase"


def test_properties_of_ours_are_no_columns() -> None:
    assert not {field.key for field in FIELDS if field.stored is not Stored.COLUMN} & BASE_KEYS
