"""Each request of each verb × each fault: what runs one cell, and the oracle that judges it.

The requests are those that a run without faults makes, recorded each time: a verb's new request is struck from the
day on which it is there.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
import pickle
import random
import re
import threading
import traceback
from typing import TYPE_CHECKING, Final, NamedTuple

from hyperx_glance import ConflictError, HyperxGlanceError, NotFoundError, WaitTimeoutError
from tests.resilience.faults import Fault, Handle
from tests.resilience.hostile import FAULTS
from tests.resilience.verbs import DEADLINE, SECRETS, VERBS, Stage, Verb, deleted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hyperx_glance.testing.memory import Recorded, Reply

MOST_REQUESTS: Final = 10_000
LONGEST_TEXT: Final = 3000
_CAPTURES: Final = tuple(name for name in VERBS if "capture" in name)
LOGIN_KIND: Final = ("keystone", "POST", "/v3/auth/tokens")
_HEADERS: Final = re.compile(r"RESP: \[|\w+ call to ")
_ID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[0-9a-f]{32}")
_NONSENSE: Final = re.compile(
    "<html|<h1>|hotel|object at 0x|Traceback|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)


class Request(NamedTuple):
    """A request of a verb: its kind, and its number among those of that kind."""

    service: str
    method: str
    path: str
    number: int

    def __str__(self) -> str:
        return f"{self.service} {self.method} {self.path} #{self.number}"


class Cell(NamedTuple):
    """One cell of the matrix."""

    verb: str
    request: Request
    fault: str

    def __str__(self) -> str:
        return f"{self.verb} | {self.request} | {self.fault}"


class Endless(BaseException):
    """A verb repeats requests for ever; a handler of errors must not catch this."""


def kind_of(request: Recorded) -> tuple[str, str, str]:
    """Name the kind of a request; ids differ from run to run."""
    return request.service, request.method, _ID.sub("ID", request.path)


# ----------------------------------------------------------------- running


class _Saboteur:
    """A filter between a verb and its cloud that counts requests, and strikes one of them."""

    def __init__(self, stage: Stage, target: Request | None, fault: Fault | None) -> None:
        self.requests: list[Request] = []
        self.struck = False
        self._since = 0
        self._followed = False
        self._stage = stage
        self._target = target
        self._fault = fault
        self._lock = threading.Lock()

    def __call__(self, request: Recorded, handle: Handle) -> Reply:
        kind = kind_of(request)
        with self._lock:
            number = 1 + sum(each[:3] == kind for each in self.requests)
            self.requests.append(Request(*kind, number))
            if len(self.requests) > MOST_REQUESTS:
                raise Endless
            fault = self._due(kind, number)
        return fault.strike(self._stage, request, handle) if fault else handle()

    def _due(self, kind: tuple[str, str, str], number: int) -> Fault | None:
        """Name the fault that strikes this request, if any does."""
        if self._fault is None or self._target is None:
            return None
        if self.struck and self._follows(kind):
            self._followed = True
            return self._fault.follow
        if not self._is_meant(kind, number):
            return None
        self.struck = True
        return self._fault

    def _follows(self, kind: tuple[str, str, str]) -> bool:
        assert self._fault is not None
        follow = self._fault.follow
        if follow is None or (self._followed and not follow.always):
            return False
        self._since += 1
        return self._since == self._fault.distance if self._fault.distance else kind == LOGIN_KIND

    def _is_meant(self, kind: tuple[str, str, str], number: int) -> bool:
        assert self._target is not None
        assert self._fault is not None
        if kind != self._target[:3]:
            return False
        return number >= self._target.number if self._fault.always else number == self._target.number


class _LogReader(logging.Handler):
    """A log handler that keeps every line of the debug log with a secret.

    The headers of answers are left out: keystoneauth logs them, with anything that a service writes there.
    """

    def __init__(self, stage: Stage) -> None:
        super().__init__(logging.DEBUG)
        self.leaks: list[str] = []
        self._stage = stage

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        if record.name == "keystoneauth.session" and _HEADERS.match(line):
            return
        if _secrets_in(line, self._stage):
            self.leaks.append(f"{record.name}: {line}")


def _secrets_in(text: str, stage: Stage) -> list[str]:
    found = [secret for secret in SECRETS if secret in text]
    return found + [f"token {token[:6]}…" for token in stage.cloud.keystone.tokens if token in text]


@functools.cache
def requests_of(name: str) -> tuple[Request, ...]:
    """Record the requests of a verb on which no fault strikes, and see that it does what it says."""
    stage = Stage(VERBS[name])
    saboteur, outcome = _run(stage, None, None)
    fails = VERBS[name].fails
    if fails is not None:
        assert isinstance(outcome, fails), outcome
        assert not any(stage.new(kind) for kind in stage.before)
    else:
        if isinstance(outcome, BaseException):
            raise outcome
        VERBS[name].check(stage, outcome)
    return tuple(saboteur.requests)


def cells(verbs: Sequence[str] = tuple(VERBS)) -> Iterator[Cell]:
    """Yield the whole matrix."""
    for name in verbs:
        for request in sorted(set(requests_of(name))):
            for fault in FAULTS:
                yield Cell(name, request, fault)


def sample(amount: int, seed: int) -> list[Cell]:
    """Choose cells fairly: each request of each verb in turn, each time with another fault, and each fault as often."""
    order = list(FAULTS)
    random.Random(seed).shuffle(order)
    rows = list(dict.fromkeys((cell.verb, cell.request) for cell in cells()))
    chosen: list[Cell] = []
    for turn in range(len(order)):
        chosen += [Cell(*row, order[(number + 7 * turn) % len(order)]) for number, row in enumerate(rows)]
    return chosen[:amount]


def _run(stage: Stage, target: Request | None, fault: Fault | None) -> tuple[_Saboteur, object]:
    stage.verb.prepare(stage)
    stage.clock.now = 0.0
    stage.before = stage.existing()
    saboteur = _Saboteur(stage, target, fault)
    stage.cloud.intercept(saboteur)
    outcome: object
    try:
        outcome = stage.verb.run(stage)
    except BaseException as error:  # noqa: BLE001  # the oracle judges it
        outcome = error
    stage.cloud.intercept(None)
    return saboteur, outcome


# ----------------------------------------------------------------- judging


@dataclasses.dataclass(frozen=True)
class Finding:
    """A mistake in a cell: its kind, and the particulars."""

    cell: Cell
    kind: str
    detail: str


def judge(cell: Cell, verb: Verb | None = None) -> list[Finding]:
    """Run a cell and return its mistakes; ``verb`` is another than the one of that name."""
    stage, fault = Stage(verb or VERBS[cell.verb]), FAULTS[cell.fault]
    logger = logging.getLogger()
    level, reader = logger.level, _LogReader(stage)
    logger.addHandler(reader)
    logger.setLevel(logging.DEBUG)
    try:
        saboteur, outcome = _run(stage, cell.request, fault)
    finally:
        logger.removeHandler(reader)
        logger.setLevel(level)
    simulated = stage.clock.now
    if _says_that_it_is_gone(cell, stage.verb):
        # A caller who hears so rightly believes it.
        fault = dataclasses.replace(fault, truthful=False)
        _remove_the_new(stage, cell.request)
    problems = list(_problems(stage, cell, fault, outcome))
    if verb is None and not saboteur.struck:
        problems.append(("not struck", "the request did not come"))
    if simulated > 2 * DEADLINE + 60:
        problems.append(("took too long", f"{simulated:.0f} simulated seconds"))
    problems += [("redirect followed", what) for what in stage.elsewhere[:1]]
    problems += [("secret in the log", line) for line in reader.leaks[:1]]
    return [Finding(cell, kind, detail) for kind, detail in problems]


def _says_that_it_is_gone(cell: Cell, verb: Verb) -> bool:
    deleting = cell.request.method == "DELETE"
    ending_an_image = verb.check is deleted and cell.request.service == "glance"
    return (deleting or ending_an_image) and cell.fault.startswith(("status:404", "words:404"))


def _remove_the_new(stage: Stage, request: Request) -> None:
    """Take away what such a deletion is about; a server takes its volumes with it."""
    if request.service == "glance":
        for image_id in stage.new("images"):
            stage.cloud.glance.remove_image(image_id)
        return
    if request.service == "nova":
        for server_id in stage.new("servers"):
            del stage.cloud.nova.servers[server_id]
    for volume_id in stage.new("volumes"):
        del stage.cloud.cinder.volumes[volume_id]


def _problems(stage: Stage, cell: Cell, fault: Fault, outcome: object) -> Iterator[tuple[str, str]]:
    if isinstance(outcome, Endless):
        yield "endless", "more requests than anybody needs"
    elif isinstance(outcome, BaseException):
        yield from _of_error(stage, fault, outcome)
    else:
        yield from _of_success(stage, cell, fault, outcome)


def _of_success(stage: Stage, cell: Cell, fault: Fault, result: object) -> Iterator[tuple[str, str]]:
    leaks = _secrets_in(repr(result), stage)
    if leaks:
        yield "secret in the result", ", ".join(leaks)
    if stage.verb.fails is not None and not _may_be_lost(stage, cell, fault):
        yield "false success", "it cannot succeed"
    elif stage.verb.fails is None and (fault.truthful or stage.verb.images or stage.verb.servers):
        try:
            stage.verb.check(stage, result)
        except (AssertionError, KeyError, AttributeError, TypeError) as wrong:
            place = traceback.extract_tb(wrong.__traceback__)[-1]
            yield "false success", f"{place.line}: {str(wrong).splitlines()[0] if str(wrong) else ''} {result!r:.300}"
    named = repr(result)
    left = {kind: stage.new(kind) for kind in stage.before}
    if not (stage.verb.images or stage.verb.servers) and any(left.values()):
        yield "made something", repr(left)
    if stage.verb.name == "probe" and any(each not in named for each in left["images"]):
        yield "lost a record", f"{left['images']}, not in {named:.500}"


def _may_be_lost(stage: Stage, cell: Cell, fault: Fault) -> bool:
    """Check whether the verb rightly takes its own request for done: its answer was lost, and what it names is gone."""
    return stage.verb.believes_a_lost_answer and cell.request.method == "DELETE" and fault.family != "login"


def _of_error(stage: Stage, fault: Fault, error: BaseException) -> Iterator[tuple[str, str]]:
    if isinstance(error, KeyboardInterrupt) and "interrupt" in fault.name:
        pass
    elif not isinstance(error, HyperxGlanceError):
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "hyperx_glance" in frame.filename]
        ours = [frame for frame in frames if "/testing/" not in frame.filename]
        place = f"{ours[-1].filename.rpartition('hyperx_glance/')[2]}:{ours[-1].lineno}" if ours else "?"
        yield f"escaped: {type(error).__name__}", f"at {place}: {error!s:.300}"
    else:
        yield from _of_text(error)
    if isinstance(error, WaitTimeoutError) and fault.truthful and not fault.always:
        yield "waited in vain", str(error)
    yield from _of_secrets(stage, error)
    yield from _of_what_is_left(stage, error)
    if fault.truthful:
        yield from _of_departments(stage, error)


def _of_departments(stage: Stage, error: BaseException) -> Iterator[tuple[str, str]]:
    """Compare what an error says of departments with the truth, and repeat the verb."""
    try:
        if stage.verb.says is not None:
            stage.verb.says(stage, error)
    except AssertionError as wrong:
        yield "false words", f"{wrong!s:.300} {error!r:.300} {getattr(error, '__notes__', ())!r:.500}"
    if stage.verb.again is None:
        return
    try:
        if any(getattr(note, "code", "") == "former-members-may-have-it" for note in getattr(error, "__notes__", ())):
            stage.helper.update(stage.known["image"], category="private")
        stage.verb.check(stage, stage.verb.again(stage))
    except (AssertionError, HyperxGlanceError) as wrong:
        yield "does not converge", f"{wrong!s:.500}"


def _of_text(error: HyperxGlanceError) -> Iterator[tuple[str, str]]:
    text = str(error)
    if not 10 <= len(text) <= LONGEST_TEXT or _NONSENSE.search(text) or "None" in error.message:
        yield "text", f"{type(error).__name__}: {text[:500]!r}"
    try:
        copy = pickle.loads(pickle.dumps(error))
    except Exception as problem:  # noqa: BLE001  # reported
        yield "no pickle", repr(problem)
    else:
        if str(copy) != text:
            yield "no pickle", f"{copy} is not {text}"


def _text(error: BaseException) -> str:
    """Return what people read of an error: an error that is not this library's has notes."""
    return "\n".join([str(error), *getattr(error, "__notes__", ())])


def _of_secrets(stage: Stage, error: BaseException) -> Iterator[tuple[str, str]]:
    places = {
        "text": _text(error),
        "repr": repr(error),
        "traceback": "".join(traceback.format_exception(error)),
        "attributes": repr(vars(error)),
    }
    if isinstance(error, HyperxGlanceError):
        places["pickle"] = pickle.dumps(error).decode("latin-1")
    shown = {place: leaks for place, text in places.items() if (leaks := _secrets_in(text, stage))}
    if shown:
        line = next(line for line in places[next(iter(shown))].splitlines() if _secrets_in(line, stage))
        yield "secret shown", f"{shown}: {line:.400}"


def _of_what_is_left(stage: Stage, error: BaseException) -> Iterator[tuple[str, str]]:
    """Recover as the guides say, and report what that does not find."""
    left = {kind: stage.new(kind) for kind in stage.before}
    if not any(left.values()):
        return
    for kind, most in (("images", stage.verb.images), ("servers", stage.verb.servers)):
        if len(left[kind]) > most:
            yield "duplicate", f"{len(left[kind])} {kind}"
    if stage.verb.name in _CAPTURES:
        yield from _lost_captures(stage, error)
        return
    yield from _lost_images(stage, error, left["images"])
    yield from _lost_servers(stage, error)


def _lost_captures(stage: Stage, error: BaseException) -> Iterator[tuple[str, str]]:
    """Finish or cancel what the error names."""
    capture_id = getattr(error, "capture_id", None)
    if capture_id is None:
        yield "lost a capture", f"{stage.new('images')}, {stage.new('volumes')}: {type(error).__name__}: {error}"
        return
    if capture_id not in _text(error):
        yield "text", f"the capture is not named: {error}"
    try:
        stage.helper.find_capture(capture_id).cancel()
    except NotFoundError:
        pass  # what was being deleted has gone meanwhile
    except ConflictError:
        stage.helper.delete(stage.helper.find_capture(capture_id).wait())
    if stage.new("servers") or stage.new("images") or stage.new("volumes"):
        yield "cannot be recovered", f"{stage.new('servers')}, {stage.new('images')}, {stage.new('volumes')}"


def _lost_images(stage: Stage, error: BaseException, left: set[str]) -> Iterator[tuple[str, str]]:
    if not left:
        return
    found = {getattr(error, "image_id", None)}
    found |= {image.id for image in stage.helper.unfinished_registrations()}
    if stage.verb.name == "probe":
        found |= {image_id for image_id in left if image_id in _text(error)}
    lost = left - found
    if lost:
        yield "lost a record", f"neither on the error nor unfinished, {stage.record(next(iter(lost)))}: {error}"
    for image_id in left & found:
        assert image_id is not None
        stage.helper.delete(image_id)
    if left - lost and stage.new("images") - lost:
        yield "cannot be recovered", "delete leaves the record"


def _lost_servers(stage: Stage, error: BaseException) -> Iterator[tuple[str, str]]:
    left = stage.new("servers"), stage.new("volumes")
    if not any(left):
        return
    launch_id = getattr(error, "launch_id", None)
    if launch_id is None:
        yield "lost a launch", f"{len(left[0])} servers, {len(left[1])} volumes: {type(error).__name__}: {error}"
        return
    if launch_id not in _text(error):
        yield "text", f"the launch is not named: {error}"
    try:
        stage.helper.find_launch(launch_id).cancel()
    except NotFoundError as problem:
        what = str(problem)  # not a problem if the thing to delete has gone meanwhile
    else:
        what = "cancel leaves it"
    if stage.new("servers") or stage.new("volumes"):
        yield "cannot be recovered", f"{what}: {stage.new('servers')}, {stage.new('volumes')}"
