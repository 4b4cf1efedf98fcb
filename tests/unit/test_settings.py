from typing import Any

import pytest

from hyperx_glance import InvalidRequestError, Settings, UrlPolicy


@pytest.mark.parametrize(
    "wrong",
    [
        {"public_visibility": "private"},
        {"transfer": "carrier pigeon"},
        {"page_size": 0},
        {"page_size": 1001},
        {"network": "loopback"},
    ],
)
def test_an_impossible_choice_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match=next(iter(wrong))):
        Settings(**wrong)


@pytest.mark.parametrize("wrong", [{"timeout_seconds": 0}, {"max_redirects": -1}, {"allowed_ports": (0,)}])
def test_an_impossible_policy_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequestError, match=next(iter(wrong))):
        UrlPolicy(**wrong)
