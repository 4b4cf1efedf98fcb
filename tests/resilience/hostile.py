"""What a request may meet that means harm, or that meets it at the worst moment; and the list of all faults.

Words of a service that repeat the request or drive a terminal, ways to another server, Ctrl-C, a login that fails
behind a token that has ended, and two faults in one run.
"""

from __future__ import annotations

import dataclasses
import json
import random
from typing import TYPE_CHECKING, Final, Literal

from hyperx_glance.testing.memory import Recorded, Reply
from tests.resilience.faults import FAULTS as PLAIN, STATUSES, Fault, Handle, Strike, refusal
from tests.resilience.verbs import ELSEWHERE, SECRETS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.resilience.verbs import Stage

LENGTH: Final = 300_000
TERMINAL: Final = "\x1b]0;owned\x07\x1b[31m\x9b2J\u202e\u2066gpj.exe\u2028 \x08\x7f"
PAIRS: Final = 16
SEED: Final = 5
Words = Literal["echo", "echo on a page", "long and wild"]


# ----------------------------------------------------------------- words


def _echo(stage: Stage, request: Recorded) -> str:
    return json.dumps({"body": request.body, "headers": {"X-Auth-Token": stage.shown.token}}, ensure_ascii=False)


def _words(status: int, kind: Words) -> Strike:
    def strike(stage: Stage, request: Recorded, _handle: Handle) -> Reply:
        page = {"Content-Type": "text/html; charset=UTF-8"}
        match kind:
            case "echo":
                reply = refusal(stage.cloud, request, status, f"Not understood: {json.dumps(request.body)}")
            case "echo on a page":
                said = f"<html><body>You sent {request.path} {_echo(stage, request)}</body></html>"
                return Reply(status, said.encode(), {**page, "x-openstack-request-id": " ".join(SECRETS)})
            case "long and wild":
                reply = refusal(stage.cloud, request, status, f"No {TERMINAL} there. " * (LENGTH // len(TERMINAL)))
                reply.headers["x-openstack-request-id"] = f"req-{TERMINAL}" * (LENGTH // len(TERMINAL))
        return reply

    return strike


def _all_words() -> list[Fault]:
    kinds: tuple[Words, ...] = ("echo", "echo on a page", "long and wild")
    return [Fault(f"words:{status} {kind}", _words(status, kind)) for status in STATUSES for kind in kinds]


# ----------------------------------------------------------------- ways to another server


def _elsewhere(status: int, *, scheme: str = "http") -> Strike:
    def strike(stage: Stage, request: Recorded, _handle: Handle) -> Reply:
        secret = SECRETS[0]
        place = f"{scheme}://reader:{secret}@{ELSEWHERE}{request.path}?next={secret}&{stage.shown.token}"
        return Reply(status, b"", {"Location": place})

    return strike


def _same_server(status: int) -> Strike:
    """Point to the same path of the same server, which answers there."""

    def strike(_stage: Stage, request: Recorded, _handle: Handle) -> Reply:
        query = "&".join(f"{key}={value}" for key, values in request.query.items() for value in values)
        return Reply(status, b"", {"Location": f"{request.path}?{query}"})

    return strike


def _redirects() -> list[Fault]:
    statuses = (301, 302, 303, 307, 308)
    found = [Fault(f"redirect:{status} elsewhere", _elsewhere(status)) for status in statuses]
    found += [Fault(f"redirect:{status} to the same server", _same_server(status)) for status in statuses]
    found.append(Fault("redirect:302 elsewhere always", _elsewhere(302), always=True))
    found.append(Fault("redirect:308 elsewhere by https", _elsewhere(308, scheme="https")))
    return found


# ----------------------------------------------------------------- Ctrl-C


def _interrupt(*, handled: bool) -> Strike:
    def strike(_stage: Stage, _request: Recorded, handle: Handle) -> Reply:
        if handled:
            handle()
        raise KeyboardInterrupt

    return strike


# ----------------------------------------------------------------- logins, and pairs


def _ended_token(stage: Stage, request: Recorded, _handle: Handle) -> Reply:
    return refusal(stage.cloud, request, 401)


_AT_LOGINS: Final = (
    *(f"status:{status}" for status in STATUSES),
    "status:503 always",
    "status:404 always",
    "silence:refused",
    "silence:reset",
    "silence:timeout",
    "silence:timeout always",
    "answer:half",
    "answer:page",
    "shape:an empty object",
)


def _logins(others: Mapping[str, Fault]) -> list[Fault]:
    """Let the token end at a request, and then something happen to the login that follows."""
    names = [*_AT_LOGINS, "words:409 echo on a page", "words:501 echo", "redirect:307 elsewhere"]
    return [
        Fault(f"login:{name}", _ended_token, follow=others[name], truthful=others[name].truthful)
        for name in names
        if name in others
    ]


def _pairs(others: Mapping[str, Fault]) -> list[Fault]:
    chance = random.Random(SEED)
    # A caller who hears that a thing is gone rightly believes it, and the oracle knows only of a first such answer.
    single = [each for each in others.values() if each.truthful and not each.always and ":404" not in each.name]
    found = []
    for number in range(PAIRS):
        first, second = chance.sample(single, 2)
        distance = chance.randint(1, 4)
        name = f"pair:{number} {first.name}, and {distance} later {second.name}"
        found.append(dataclasses.replace(first, name=name, follow=second, distance=distance))
    return found


def _every_fault() -> dict[str, Fault]:
    found = [*PLAIN.values(), *_all_words(), *_redirects()]
    found.append(Fault("interrupt:before", _interrupt(handled=False)))
    found.append(Fault("interrupt:after the effect", _interrupt(handled=True)))
    by_name = {fault.name: fault for fault in found}
    both = [*_logins(by_name), *_pairs(by_name)]
    return by_name | {fault.name: fault for fault in both}


FAULTS: Final[Mapping[str, Fault]] = _every_fault()
