"""The tables of several pages, made from the library while the page is built."""

from __future__ import annotations

import html
import json
import re
import typing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from hyperx_glance import errors, vocabulary
from hyperx_glance.launching import order
from hyperx_glance.models.browsing import ImageQuery
from hyperx_glance.models.registering import NewImage
from hyperx_glance.testing.capabilities import CAPABILITIES, NEWEST, lacking
from hyperx_glance.vocabulary import BY_NAME, FIELDS, HYPERVISOR_KEYS, Stored, Writer
from tests.deployments import worlds
from tests.deployments.story import DONE, LEFT_OUT
from tests.deployments.worlds.normal import NORMAL
from tests.texts.catalogues import ROLES, entries, occasion, roles, sections, values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from docutils.nodes import Node
    from sphinx.application import Sphinx

    from hyperx_glance.vocabulary import Field

WORLDS = Path(__file__).parents[1] / "tests" / "deployments" / "results.json"
RESULTS = Path(__file__).parents[1] / "tests" / "releases" / "results.json"
MEASURED = Path(__file__).parent / "guide" / "performance.json"
WRITERS = {
    Writer.NOBODY: "Glance or the library",
    Writer.REGISTRATION: "registration, once",
    Writer.OWNER: "the department that owns it",
    Writer.STEWARD: "the department; everybody on a public image",
}
# Notes that one word for the writer cannot express.
SPECIAL_WRITERS = {
    "visibility": "the department that owns it; ``public``: who the policy lets",
    "featured_flag": "administrators; the department may take it off",
    "guest_agent_before": "the library, with the password flag",
    "edited_by": "the library, when the steward edits",
}


class Told(typing.TypedDict):
    """How the story went in a world: what became of each step, the doctor's levels, and steps that are known faults."""

    steps: dict[str, str]
    doctor: dict[str, str]
    wrong: list[str]


class Criterion(NamedTuple):
    """A criterion of `ImageQuery`: what Glance can evaluate, what it cannot, and the fields that it compares."""

    glance: str
    here: str = ""
    about: tuple[str, ...] = ()


_NO_PARTS = "Glance finds no parts of words"
_ONE_BOUND = "the second bound of two"
_TOLD = {
    "view": Criterion(
        "visibility=, owner=, member_status=accepted, hyperx_featured=true; one listing for each visibility",
        'a public image that is featured is not in the view "public"',
        ("visibility", "owner", "featured_flag"),
    ),
    "kind": Criterion("iso: disk_format=iso", 'image: Glance has no "other than"', ("disk_format",)),
    "state": Criterion(
        "status=active; INACTIVE: status=in: and every other status of Glance's schema",
        "INACTIVE, if Glance shows no schema",
        ("glance_status",),
    ),
    "formats": Criterion("disk_format=qcow2, disk_format=in:qcow2,raw", "", ("disk_format",)),
    "tags": Criterion("tag=, once for each"),
    "any_tags": Criterion("tag=, one listing each", "more than eight", ("tags",)),
    "no_tags": Criterion("", 'Glance has no "not"', ("tags",)),
    "search": Criterion("", _NO_PARTS, ("id", "owner", *(field.name for field in FIELDS if field.searched))),
    "name": Criterion("name=, with a colon in it name=eq:", "the empty name, which may be null"),
    "hypervisor": Criterion(
        "one listing each: " + "=, ".join(HYPERVISOR_KEYS) + "=",
        "the empty text, which may be absent",
        ("hypervisor_type", "image_hypervisor_type"),
    ),
    "owner": Criterion("owner=, one listing for each department of the name"),
    "lifecycle": Criterion("", "it depends on the time", ("deprecated_at", "obsolete_at")),
    "properties": Criterion(
        "key=value", "keys that Glance takes for something else: _min or _max at the end, sort, limit..."
    ),
    "name_contains": Criterion("", _NO_PARTS, ("name",)),
    "description_contains": Criterion("", _NO_PARTS, ("description",)),
    "os_name_contains": Criterion("", _NO_PARTS, ("os_name",)),
    "bootable": Criterion("", "true: also where it is absent; false: any other text"),
    "protected": Criterion("protected=true, protected=false"),
    "hidden": Criterion("os_hidden=true; one listing each for both"),
    "min_size": Criterion("size_min=", "", ("size",)),
    "max_size": Criterion("size_max=", "", ("size",)),
    "created_after": Criterion("created_at=gte:, whole seconds", _ONE_BOUND, ("created_at",)),
    "created_before": Criterion("created_at=lt:, whole seconds", _ONE_BOUND, ("created_at",)),
    "updated_after": Criterion("updated_at=gte:, whole seconds", _ONE_BOUND, ("updated_at",)),
    "updated_before": Criterion("updated_at=lt:, whole seconds", _ONE_BOUND, ("updated_at",)),
    "sort": Criterion("sort=, the id last", "the order of images of the same second"),
    "limit": Criterion("limit=, one more than wanted", "the end of the list"),
}


def _of_a_property(field: Field) -> Criterion:
    if field.stored is Stored.FLAG:
        return Criterion(f"true: {field.key}=true", "false: absent or any other text")
    return Criterion(f"{field.key}=", "the empty text, which may be absent")


CRITERIA = {name: _TOLD.get(name) or _of_a_property(BY_NAME[name]) for name in ImageQuery.model_fields}


class Table(SphinxDirective):
    """A table whose rows are read at build time, so that the page cannot be stale."""

    heading: typing.ClassVar[tuple[str, ...]]

    def rows(self) -> Iterable[tuple[str, ...]]:
        """Return the cells as reStructuredText."""
        raise NotImplementedError

    def run(self) -> list[Node]:
        """Write them as a list-table."""
        self.env.note_dependency(str(RESULTS))
        rows = [self.heading, *self.rows()]
        lines = [f"{'  -' if number else '* -'} {cell}" for row in rows for number, cell in enumerate(row)]
        table = [".. list-table::", "   :header-rows: 1", "", *(f"   {line}" for line in lines)]
        return self.parse_text_to_nodes("\n".join(table))


class Fields(Table):
    """The table of the fields of images: `.. fields::`."""

    heading = ("Field", "Console", "In Glance", "Written by", "Found by")

    def rows(self) -> Iterable[tuple[str, ...]]:
        """Return a row for each field."""
        return map(self._row, FIELDS)

    @staticmethod
    def _row(field: Field) -> tuple[str, ...]:
        key = f"``{field.key}``" if field.stored is Stored.COLUMN else f"property ``{field.key}``"
        titles = " ".join(dict.fromkeys((field.title, field.title_zh)))
        meaning = titles + (f": {field.description}" if field.description else "")
        criteria = [name for name, criterion in CRITERIA.items() if field.name in (name, *criterion.about)]
        found = ", ".join(f"``{name}``" for name in criteria)
        writer = SPECIAL_WRITERS.get(field.name, WRITERS[field.writer])
        return f"``{field.name}``", meaning, key, writer, found or "nothing"


ON_IMAGES = {
    f"{vocabulary.CAPTURE_ORDER_PREFIX}N": "What a capture was asked for, in pieces; until it is finished.",
    vocabulary.CAPTURE_CANCELLED_KEY: "The capture is being cancelled; until its record is deleted.",
    "hyperx_doctor": "Written by the doctor's probe on a scratch record, which is deleted.",
}
ON_SERVERS = {
    f"{order.TAG_PREFIX}ID": "A tag with the id of the launch.",
    order.IMAGE_KEY: "Metadata: the image that was launched.",
    order.COUNT_KEY: "Metadata: the number of servers that were ordered.",
    order.ON_FAILURE_KEY: "Metadata: what happens to the other servers if one fails.",
    order.KEEP_VOLUMES_KEY: "Metadata: whether the volumes outlive the server.",
}
ON_VOLUMES = {
    order.LAUNCH_KEY: "Metadata: the launch that made the volume; while the launch is being cancelled.",
    order.COUNT_KEY: "As for servers.",
    order.IMAGE_KEY: "As for servers.",
}


class Written(Table):
    """Show what the library writes that is its own: `.. written::`."""

    heading = ("On", "Key", "Meaning", "On leaving")

    def rows(self) -> Iterable[tuple[str, ...]]:
        """Give a row for each key."""
        own = {field.key: field.description for field in FIELDS if field.own}
        places = {"images": own | ON_IMAGES, "servers": ON_SERVERS, "volumes": ON_VOLUMES}
        for place, keys in places.items():
            fate = "removed" if place == "images" else "stays"
            yield from ((place, f"``{key}``", meaning, fate) for key, meaning in keys.items())


class Ordinary(Table):
    """Show which properties of OpenStack's own the library writes: `.. ordinary::`."""

    heading = ("Property", "Field", "Console")

    def rows(self) -> Iterable[tuple[str, ...]]:
        """Give a row for each property that stays."""
        for field in FIELDS:
            if field.stored is not Stored.COLUMN and not field.own and field.name in NewImage.model_fields:
                titles = " ".join(dict.fromkeys((field.title, field.title_zh)))
                yield f"``{field.key}``", f"``{field.name}``", titles
        yield f"``{vocabulary.GUEST_AGENT_KEY}``", "``password_enabled``", "Password enabled 密码启用"


class Criteria(Table):
    """The table of the criteria, and which side evaluates each: `.. criteria::`."""

    heading = ("Criterion", "Glance evaluates", "Only the client evaluates")

    def rows(self) -> Iterable[tuple[str, ...]]:
        """Return a row for each field of `ImageQuery`."""
        return (self._row(name, criterion) for name, criterion in CRITERIA.items())

    @staticmethod
    def _row(name: str, criterion: Criterion) -> tuple[str, ...]:
        asked = re.sub(r"[^\s,]+=(\S*[^\s,;:]:?)?", r"``\g<0>``", criterion.glance)
        return f"``{name}``", asked or "nothing", criterion.here


class Compatibility(Table):
    """The table of the releases: what they lack, and the test results: `.. compatibility::`."""

    heading = ("Release", "Missing in this release", "What the library does instead", "Tests on real services")

    def rows(self) -> Iterable[tuple[str, ...]]:
        """Return a row for each release on which the tests can run."""
        results: dict[str, dict[str, dict[str, int]]] = json.loads(RESULTS.read_text())
        known = {NEWEST, *(path.stem for path in RESULTS.parent.glob("*.txt"))}
        return (self.row(release, results.get(release, {})) for release in sorted(known, reverse=True))

    @staticmethod
    def row(release: str, files: dict[str, dict[str, int]]) -> tuple[str, ...]:
        """Return the row of a release; ``files`` has the counts of each file of tests."""
        lacks = [capability for name, capability in CAPABILITIES.items() if name in lacking(release)]
        counts = {word: sum(file.get(word, 0) for file in files.values()) for word in ("passed", "failed", "lacking")}
        where = "1 file" if len(files) == 1 else f"{len(files)} files"
        tests = f"{counts['passed']} passed, {counts['failed']} failed, in {where}" if files else "not recorded"
        if counts["lacking"]:
            tests += f"; {counts['lacking']} need what it lacks"
        without = " ".join(capability.without for capability in lacks)
        return release, " ".join(capability.what for capability in lacks) or "nothing", without or "nothing", tests


class Deployments(Table):
    """The table of the worlds in which the tests tell their story: `.. deployments::`."""

    heading = ("Deployment", "Steps that go as usual", "What goes otherwise", "The doctor says")

    def rows(self) -> Iterable[tuple[str, ...]]:
        """Return a row for each world that a run has recorded; the first is the normal one."""
        self.env.note_dependency(str(WORLDS))
        told: dict[str, Told] = json.loads(WORLDS.read_text())
        normal = told[NORMAL.name]["steps"]
        for name in (world.name for world in worlds.WORLDS if world.name in told):
            yield self.row(name, told[name], {} if name == NORMAL.name else normal)

    @staticmethod
    def row(name: str, told: Told, normal: dict[str, str]) -> tuple[str, ...]:
        """Return the row of a world; ``normal`` is how the steps go in the normal one."""
        differs = {step: how for step, how in told["steps"].items() if how != normal.get(step, DONE)}
        by_outcome: dict[str, list[str]] = {}
        for step, how in differs.items():
            known = " (known fault)" if step in told["wrong"] else ""
            by_outcome.setdefault(_outcome(how) + known, []).append(step)
        otherwise = "; ".join(f"{how}: {', '.join(steps)}" for how, steps in sorted(by_outcome.items()))
        levels: dict[str, list[str]] = {}
        for check, level in told["doctor"].items():
            levels.setdefault(level, []).append(f"``{check}``")
        doctor = "; ".join(f"{level}: {', '.join(sorted(checks))}" for level, checks in sorted(levels.items()))
        count = f"{len(told['steps']) - len(differs)} of {len(told['steps'])}"
        return name, count, otherwise or "nothing", doctor or "all is well"


def _outcome(how: str) -> str:
    """Write how a step went: "``image-protected`` (`ProtectedError`)"."""
    if how in (DONE, LEFT_OUT):
        return how
    if how.startswith("otherwise: "):
        return f"``{how}``"
    refusal, _, more = how.partition(", ")
    code, _, kind = refusal.removesuffix(")").partition(" (")
    return (f"``{code}`` (`{kind}`)" if kind else f"`{code}`") + (f", {more}" if more else "")


class Codes(Table):
    """Show the codes of all texts, in a table for each section of the catalogues: `.. codes::`."""

    heading = ("Code", "When", "Raised as", "Values", "Status", "Chinese")

    def run(self) -> list[Node]:
        """Write a table for each section, below its title."""
        found: list[Node] = []
        for title, codes in sections().items():
            self._codes = codes
            found += [nodes.rubric("", title[:1].upper() + title[1:]), *super().run()]
        return found

    def rows(self) -> Iterable[tuple[str, ...]]:
        """Return a row for each code of a section."""
        return map(self.row, self._codes)

    @staticmethod
    def row(code: str) -> tuple[str, ...]:
        """Return the row of a code."""
        found = sorted(roles(code))
        kinds = [getattr(errors, role) for role in found if role not in ROLES]
        return (
            f"``{code}``",
            _literal(occasion(code)),
            ", ".join(ROLES.get(role) or f"`{role}`" for role in found),
            ", ".join(f"``{name}``" for name in sorted(values(code))),
            ", ".join(sorted({str(kind.suggested_status) for kind in kinds})),
            _literal(entries("zh")["", code].string),
        )


def _literal(sentence: object) -> str:
    return re.sub(r"([\\*`|_])", r"\\\1", str(sentence)).replace("\n", " ")


class Benchmarks(SphinxDirective):
    """The figures that `tox -e bench` has recorded: `.. benchmarks::`."""

    def run(self) -> list[Node]:
        """Write a table for each measurement."""
        self.env.note_dependency(str(MEASURED))
        if not MEASURED.exists():
            return self.parse_text_to_nodes("No run has been recorded yet.")
        lines: list[str] = []
        for title, rows in json.loads(MEASURED.read_text()).items():
            cells = [f"{'  -' if number else '* -'} {cell}" for row in rows for number, cell in enumerate(row)]
            lines += [f".. list-table:: {title}", "   :header-rows: 1", "", *(f"   {cell}" for cell in cells), ""]
        return self.parse_text_to_nodes("\n".join(lines))


def name_columns(_: Sphinx, document: nodes.document, __: str) -> None:
    """Give each cell the name of its column, since a narrow page shows rows as cards (`_static/hyperx.css`)."""
    for table in document.findall(nodes.tgroup):
        heads = [entry.astext() for head in table.findall(nodes.thead) for entry in head.findall(nodes.entry)]
        for row in (row for body in table.findall(nodes.tbody) for row in body.findall(nodes.row)):
            for name, entry in zip(heads, row.findall(nodes.entry), strict=False):
                entry.insert(0, nodes.raw("", f'<span class="column-of">{html.escape(name)}</span>', format="html"))


def setup(app: Sphinx) -> dict[str, bool]:
    """Let pages use them."""
    app.add_directive("benchmarks", Benchmarks)
    app.add_directive("codes", Codes)
    app.add_directive("compatibility", Compatibility)
    app.add_directive("deployments", Deployments)
    app.add_directive("fields", Fields)
    app.add_directive("criteria", Criteria)
    app.add_directive("ordinary", Ordinary)
    app.add_directive("written", Written)
    app.connect("doctree-resolved", name_columns)
    return {"parallel_read_safe": True}
