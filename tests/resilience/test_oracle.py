"""The oracle finds each kind of mistake: every verb here makes one."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import pytest

from hyperx_glance import HyperxGlanceError, LaunchRequest, NotFoundError, ServiceUnavailableError, WaitTimeoutError
from hyperx_glance.texts import Text
from tests.resilience.matrix import Cell, Request, judge
from tests.resilience.verbs import DEADLINE, ELSEWHERE, LOGIN, SIGNATURE, Stage, Verb, nothing_new, one_image

if TYPE_CHECKING:
    from collections.abc import Callable

NOWHERE = Cell("none", Request("glance", "GET", "/nowhere", 1), "status:500")


def let_a_built_in_exception_out(_stage: Stage) -> None:
    raise KeyError("images")


def say_nothing_useful(_stage: Stage) -> None:
    raise HyperxGlanceError(Text("None"))


def show_a_page(_stage: Stage) -> None:
    raise ServiceUnavailableError(Text("The answer was <html><h1>Welcome</h1></html>."))


def show_a_login(_stage: Stage) -> None:
    raise ServiceUnavailableError(Text(f"carol with {LOGIN} was refused."))


def show_a_url_in_the_cause(_stage: Stage) -> None:
    raise ServiceUnavailableError(Text("The URL was refused.")) from ValueError(f"?sig={SIGNATURE}")


def show_a_token_in_a_note(stage: Stage) -> None:
    token = stage.client.cloud.session.get_token()
    error = ServiceUnavailableError(Text("The service was not there."))
    error.add_note(f"X-Auth-Token: {token}")
    raise error


def log_a_login(stage: Stage) -> None:
    logging.getLogger("somewhere").debug("password: %s", LOGIN)
    stage.client.count()


def return_a_login(_stage: Stage) -> object:
    return {"password": LOGIN}


def make_a_record(stage: Stage) -> str:
    return stage.cloud.glance.add_image(name="made")


def lose_a_record(stage: Stage) -> None:
    make_a_record(stage)
    raise ServiceUnavailableError(Text("The answer was lost."))


def make_it_twice(stage: Stage) -> None:
    for _ in range(2):
        stage.image(hyperx_created_by=stage.cloud.users["carol"], status="queued")
    raise ServiceUnavailableError(Text("The answer was lost."))


def lose_a_launch(stage: Stage) -> None:
    stage.helper.launch(stage.known["image"], LaunchRequest(name="web", flavor="m1.tiny"))
    raise ServiceUnavailableError(Text("The answer was lost."))


def name_another_launch(stage: Stage) -> None:
    stage.helper.launch(stage.known["image"], LaunchRequest(name="web", flavor="m1.tiny"))
    error = NotFoundError(Text("Launch another-one was lost."))
    error.launch_id = "another-one"
    raise error


def claim_success(_stage: Stage) -> None:
    return None


def wait_in_vain(_stage: Stage) -> None:
    raise WaitTimeoutError(Text("The time to wait is over."))


def sleep_too_long(stage: Stage) -> None:
    stage.clock.sleep(10 * DEADLINE)


def ask_for_ever(stage: Stage) -> None:
    while True:
        stage.client.count()


def go_elsewhere(stage: Stage) -> None:
    stage.client.cloud.session.get(f"http://{ELSEWHERE}/login", authenticated=False)


def press_ctrl_c(_stage: Stage) -> None:
    raise KeyboardInterrupt


def fails(_stage: Stage, _result: Any) -> None:  # noqa: ANN401  # any result
    raise AssertionError


@pytest.mark.parametrize(
    ("run", "kind"),
    [
        (let_a_built_in_exception_out, "escaped: KeyError"),
        (say_nothing_useful, "text"),
        (show_a_page, "text"),
        (show_a_login, "secret shown"),
        (show_a_url_in_the_cause, "secret shown"),
        (show_a_token_in_a_note, "secret shown"),
        (log_a_login, "secret in the log"),
        (return_a_login, "secret in the result"),
        (make_a_record, "made something"),
        (lose_a_record, "lost a record"),
        (make_it_twice, "duplicate"),
        (lose_a_launch, "lost a launch"),
        (name_another_launch, "cannot be recovered"),
        (wait_in_vain, "waited in vain"),
        (sleep_too_long, "took too long"),
    ],
)
def test_the_oracle_sees_what_is_wrong(run: Callable[[Stage], object], kind: str) -> None:
    verb = Verb("wrong", run, lambda *_: None, one_image)

    assert kind in {finding.kind for finding in judge(NOWHERE, verb)}


def test_the_oracle_sees_a_success_that_is_none() -> None:
    kinds = {finding.kind for finding in judge(NOWHERE, Verb("wrong", claim_success, fails))}

    assert kinds == {"false success"}


def test_the_oracle_ends_what_does_not_end() -> None:
    begin = time.process_time()
    kinds = {finding.kind for finding in judge(NOWHERE, Verb("wrong", ask_for_ever, nothing_new))}

    assert kinds == {"endless"}
    assert time.process_time() - begin < 60


def test_the_oracle_is_content_with_what_is_right() -> None:
    assert judge(NOWHERE, Verb("right", lambda stage: stage.client.count(), nothing_new)) == []


def test_the_oracle_sees_what_arrives_at_another_server() -> None:
    kinds = {finding.kind for finding in judge(NOWHERE, Verb("wrong", go_elsewhere, nothing_new))}

    assert kinds == {"redirect followed"}


def test_the_oracle_knows_ctrl_c_only_where_it_was_pressed() -> None:
    pressed = NOWHERE._replace(fault="interrupt:before")

    assert judge(pressed, Verb("right", press_ctrl_c, nothing_new)) == []
    assert {finding.kind for finding in judge(NOWHERE, Verb("wrong", press_ctrl_c, nothing_new))} == {
        "escaped: KeyboardInterrupt"
    }


def test_the_oracle_believes_a_deletion_only_if_its_own_answer_was_lost() -> None:
    verb = Verb("delete", claim_success, nothing_new, fails=NotFoundError, believes_a_lost_answer=True)
    deletion = Request("glance", "DELETE", "/v2/images/ID", 1)
    login = Request("keystone", "POST", "/v3/auth/tokens", 1)

    assert judge(Cell("delete", deletion, "silence:reset"), verb) == []
    for cell in (Cell("delete", login, "silence:reset"), Cell("delete", deletion, "login:status:503")):
        assert {finding.kind for finding in judge(cell, verb)} == {"false success"}
