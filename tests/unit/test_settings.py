"""Impossible settings are refused when they are made."""

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


@pytest.mark.parametrize("field", ["trusted_hosts", "only_hosts"])
@pytest.mark.parametrize(
    "host", ["", " ", "http://files.example", "files.example:8080", "files.example/iso", "*.example", "u@files.example"]
)
def test_a_host_that_no_url_can_have_is_refused(field: str, host: str) -> None:
    """It would have no effect: trust no host, or shut out every host."""
    with pytest.raises(InvalidRequestError, match=rf"{field}\.0: must be a host name or address"):
        UrlPolicy.model_validate({field: [host]})


@pytest.mark.parametrize("host", ["files.example", "Files.Example.", "镜像.example", "10.0.0.1", "::1", "[fd00::7]"])
def test_a_host_is_a_name_or_an_address(host: str) -> None:
    assert UrlPolicy(trusted_hosts=(host,)).trusted_hosts == (host,)
