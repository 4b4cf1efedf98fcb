"""The list page of the console: rows and buttons, tabs, filters, languages, errors in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from fastapi import FastAPI, Query
from fastapi.testclient import TestClient

from hyperx_glance import Action, CatalogueIndex, Client, ImagePage, PageQuery
from tests.support import launches
from tests.support.lists import fill, lists
from tests.unit.console.visitors import console, log_in

if TYPE_CHECKING:
    from pathlib import Path

    from hyperx_glance.testing import InMemoryCloud


def names(browser: TestClient, address: str) -> list[str]:
    return [row["image"]["name"] for row in browser.get(address).json()["rows"]]


def test_consoles_share_an_index(cloud: InMemoryCloud, tmp_path: Path) -> None:
    fill(cloud, 5, visibility="community", owner="dept-b")
    (wanted,) = fill(cloud, 1, visibility="public", owner="dept-b", description="麒麟")

    def make_index() -> CatalogueIndex:
        return CatalogueIndex(Client.from_session(cloud.session("rita")), path=tmp_path / "images.sqlite")

    make_index().refresh()
    for browser in (console(cloud, make_index=make_index), console(cloud, make_index=make_index)):
        log_in(browser, cloud)
        cloud.requests.clear()
        answer = browser.get("/api/images?search=麒麟").json()
        assert [row["image"]["id"] for row in answer["rows"]] == [wanted]
        assert any("id" in asked for asked in lists(cloud))
        assert browser.get("/api/tabs").json()["counts"]["public"] == 6
        assert browser.get("/api/tabs").json()["age_seconds"] >= 0
        assert browser.get("/api/summary").json()["total"] == 6


def test_pages_are_turned_by_any_console(cloud: InMemoryCloud) -> None:
    expected = fill(cloud, 5, visibility="community", owner="dept-b")
    first, second = log_in(console(cloud), cloud), log_in(console(cloud), cloud)

    page = first.get("/api/images", params={"size": 3, "view": "public"}).json()
    rest = second.get("/api/images", params={"size": 3, "view": "public", "cursor": page["next"]}).json()

    assert [row["image"]["id"] for row in [*page["rows"], *rest["rows"]]] == expected
    assert (page["previous"], rest["next"]) == (None, None)
    assert "launch" in page["rows"][0]["allowed"]
    assert page["rows"][0]["why_not"]["delete"]


def test_every_button_is_allowed_or_explained_in_chinese(cloud: InMemoryCloud, alice: TestClient) -> None:
    fill(cloud, 1, owner="dept-a", protected=True)
    alice.cookies["language"] = "zh"

    (row,) = alice.get("/api/images").json()["rows"]

    assert {*row["allowed"], *row["why_not"]} == {*Action}
    assert row["why_not"]["delete"] == "该镜像受到删除保护。请先取消保护。"
    assert row["why_not"]["feature"] == "只有管理员可以将镜像设为精选。请设为公共，或请管理员操作。"


def test_tabs_count_what_their_lists_show(cloud: InMemoryCloud, alice: TestClient) -> None:
    fill(cloud, 1, owner="admin", visibility="public", hyperx_featured="true", tags=["base"])
    fill(cloud, 2, owner="dept-b", visibility="community", tags=["base", "web"])
    fill(cloud, 3, owner="dept-a", visibility="private")
    fill(cloud, 4, owner="dept-b", visibility="private")

    tabs = alice.get("/api/tabs").json()

    assert tabs["tags"]["base"] == 3
    assert tabs["age_seconds"] is None
    for view, count in tabs["counts"].items():
        assert len(alice.get("/api/images", params={"view": view}).json()["rows"]) == count, view
    assert tabs["counts"] == {"all": 6, "featured": 1, "public": 2, "private": 3, "shared": 0, "offered": 0}


def test_administrators_have_the_tab_of_all_departments(cloud: InMemoryCloud, browser: TestClient) -> None:
    fill(cloud, 4, owner="dept-b", visibility="private")

    assert log_in(browser, cloud, "admin").get("/api/tabs").json()["counts"]["everything"] == 4


def test_a_page_has_at_most_a_hundred_rows(cloud: InMemoryCloud, alice: TestClient) -> None:
    fill(cloud, 120, owner="dept-a")

    assert len(alice.get("/api/images?size=1000").json()["rows"]) == 100


def test_servers_are_listed_in_parts_with_what_can_be_done_with_each(cloud: InMemoryCloud, alice: TestClient) -> None:
    image_id = launches.put_image(cloud)
    names = [f"server {number}" for number in range(21)]
    for name in names:
        launches.boot(cloud, name, image_id)
    launches.stop(cloud, cloud.nova.server("server 0").id)
    alice.cookies["language"] = "zh"

    first = alice.get("/api/servers").json()
    (last,) = alice.get("/api/servers", params={"after": first["next"]}).json()["servers"]
    found = alice.get("/api/servers", params={"name": "SERVER 1"}).json()

    assert [server["name"] for server in first["servers"]] == names[:0:-1]
    assert first["next"] == first["servers"][-1]["id"]
    assert (last["name"], last["status"], last["image_id"]) == ("server 0", "SHUTOFF", image_id)
    assert (last["why_not_capture"], last["why_not_reset_password"]) == (
        "",
        "该虚拟机未运行。请启动该虚拟机，然后重试。",
    )
    assert ({server["name"] for server in found["servers"]}, found["next"]) == (
        {"server 1", *(f"server {number}" for number in range(10, 20))},
        None,
    )
    assert alice.get("/api/servers", params={"after": "nobody"}).json()["code"] == "no-such-server"
    assert alice.get("/api/servers", params={"after": "a/b"}).status_code == 422


def test_the_page_is_there_before_it_is_read(browser: TestClient) -> None:
    read, head = browser.get("/"), browser.head("/")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers == read.headers


def test_the_quota_and_the_departments_are_shown(alice: TestClient) -> None:
    quota = alice.get("/api/quota").json()

    assert (quota["department"], quota["images"]["used"], quota["notes"]) == ("dept-a", 0, [])
    assert [each["name"] for each in alice.get("/api/departments").json()] == ["dept-a"]


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/api/images?cursor=nonsense", 422, {"error": "游标：属于另一个查询，或已被修改"}),
        ("/api/images?view=everything", 403, {"hint": "请切换到“所有”界面。"}),
        ("/api/images?name=x&min_size=2&max_size=1", 422, {"error": "："}),
        ("/api/images/nobody", 404, {"code": "no-such-image"}),
        ("/api/images?size=x", 422, {"fields": {"size": "必须是整数"}}),
        ("/api/images?created_after=yesterday", 422, {"error": "创建时间不早于：必须是时间"}),
        ("/api/images?bootable=maybe", 422, {"error": "必须为“是”或“否”"}),
        ("/api/images?properties=a", 422, {"error": "必须是 JSON 对象，例如"}),
        ("/api/nowhere", 404, {"error": "没有该地址。"}),
        ("/api/login", 405, {"error": "该地址不接受此类请求。"}),
    ],
)
def test_a_page_in_chinese_is_answered_in_chinese_without_python(
    alice: TestClient, path: str, status: int, said: dict[str, Any]
) -> None:
    alice.cookies["language"] = "zh"

    answer = alice.get(path)

    assert answer.status_code == status
    for key, wanted in said.items():
        found = answer.json()[key]
        assert found == wanted or wanted in found
    assert not re.search(r"\w\(|`|--", answer.json()["error"] + answer.json()["hint"])


@pytest.mark.parametrize(
    ("cookie", "header", "said"),
    [
        ("zh", "en", "没有该地址。"),
        ("en", "zh-CN", "There is no such address."),
        ("", "zh-CN,zh;q=0.9", "没有该地址。"),
        ("", "de", "There is no such address."),
        ("<script>", "zh", "There is no such address."),
    ],
)
def test_the_language_is_the_page_s_own_or_the_browser_s(
    browser: TestClient, cookie: str, header: str, said: str
) -> None:
    if cookie:
        browser.cookies["language"] = cookie

    assert browser.get("/api/nowhere", headers={"Accept-Language": header}).json()["error"] == said


def test_every_filter_of_a_list_is_in_the_address(cloud: InMemoryCloud, alice: TestClient) -> None:
    fill(cloud, 2, owner="dept-a", disk_format="qcow2", size=5)
    (wanted,) = fill(cloud, 1, owner="dept-a", disk_format="raw", size=2048, hw_disk_bus="virtio", tags=["a", "b"])
    address = (
        "/api/images?formats=raw&formats=vmdk&tags=a&tags=b&min_size=1024&hidden=false&password_enabled=false"
        '&properties={"hw_disk_bus":"virtio"}&sort=name&sort=-id&created_before=2199-01-01T00:00:00Z&kind=image&size=5'
    )

    assert [row["image"]["id"] for row in alice.get(address).json()["rows"]] == [wanted]
    assert len(names(alice, "/api/images?hidden=")) == 3


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"colour": "red"}, "colour"),
        ({"limit": "5"}, "Limit: must be absent"),
        ({"min_size": "x"}, "Smallest size: must be a whole number"),
        ({"properties": "hw_disk_bus=virtio"}, "in JSON"),
        ({"sort": "colour"}, "cannot sort"),
    ],
)
def test_an_unknown_filter_is_refused(alice: TestClient, params: dict[str, str], said: str) -> None:
    answer = alice.get("/api/images", params=params)

    assert answer.status_code == 422
    assert said in str(answer.json())


def test_the_documentation_of_a_route_describes_each_filter() -> None:
    app = FastAPI()

    @app.get("/images")
    def images(query: Annotated[PageQuery, Query()]) -> ImagePage:
        raise AssertionError(query)

    schema = app.openapi()
    parameters = {each["name"]: each for each in schema["paths"]["/images"]["get"]["parameters"]}

    assert parameters.keys() == PageQuery.model_fields.keys()
    assert parameters["min_size"]["description"] == "The smallest size, in bytes."
    assert parameters["name"]["schema"]["title"] == "Name"
    assert schema["components"]["schemas"]["Image"]["properties"]["category"]["title"] == "Category"


def test_a_page_that_was_sent_over_http_is_the_page(cloud: InMemoryCloud) -> None:
    fill(cloud, 3, owner="dept-a", disk_format="iso", hyperx_os_name="Debian", direct_url="file:///x")
    client = Client.from_session(cloud.session("alice"))
    page = client.page(PageQuery(size=2))
    app = FastAPI()
    app.get("/images")(lambda: page)
    app.get("/typed", response_model=ImagePage)(lambda: page)

    for path in ("/images", "/typed"):
        assert ImagePage.model_validate_json(TestClient(app).get(path).content) == page


def test_where_a_store_keeps_an_image_is_not_shown(cloud: InMemoryCloud, alice: TestClient) -> None:
    fill(cloud, 1, owner="dept-a", direct_url="swift+https://user:hunter2@store/x")

    assert "hunter2" not in alice.get("/api/images").text
