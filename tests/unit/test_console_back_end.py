"""The back end of the guide, on an in-memory cloud, as a browser uses it."""

from __future__ import annotations

import importlib.util
import json
import re
import textwrap
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from fastapi import FastAPI, Query
from fastapi.testclient import TestClient

from hyperx_glance import CatalogueIndex, Client, ImagePage, PageQuery, Settings
from hyperx_glance.testing import InMemoryCloud
from tests import samples
from tests.support.lists import fill, lists

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hyperx_glance import Pace

EXAMPLE = Path(__file__).parents[2] / "docs" / "guide" / "console_back_end.py"
URL = "http://files.example/disk.qcow2"


@pytest.fixture
def cloud() -> Iterator[InMemoryCloud]:
    with InMemoryCloud() as cloud:
        cloud.glance.downloads[URL] = samples.data("disk.qcow2")
        yield cloud


def worker(
    cloud: InMemoryCloud, pace: Pace | None = None, make_index: Callable[[], CatalogueIndex] | None = None
) -> TestClient:
    """Start a process of the back end: none knows what another one holds."""
    spec = importlib.util.spec_from_file_location("console_back_end", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    settings = Settings(pace=pace or cloud.pace, network=cloud.network)
    return TestClient(module.create_app(cloud.auth("alice")["auth_url"], settings, make_index))


def login(browser: TestClient, cloud: InMemoryCloud, user: str = "alice") -> dict[str, str]:
    known = cloud.auth(user)
    who = {"username": known["username"], "password": known["password"], "project_name": known["project_name"]}
    answer = browser.post("/login", json={**who, "domain_id": known["user_domain_id"]}).json()
    return {"X-Auth-Token": answer["token"], "X-Project-Id": answer["project_id"]}


def test_workers_share_an_index(cloud: InMemoryCloud, tmp_path: Path) -> None:
    fill(cloud, 5, visibility="community", owner="dept-b")
    (wanted,) = fill(cloud, 1, visibility="public", owner="dept-b", description="麒麟")

    def make_index() -> CatalogueIndex:
        return CatalogueIndex(Client.from_session(cloud.session("rita")), path=tmp_path / "images.sqlite")

    make_index().refresh()
    for browser in (worker(cloud, make_index=make_index), worker(cloud, make_index=make_index)):
        headers = login(browser, cloud)
        cloud.requests.clear()
        answer = browser.get("/images?search=麒麟", headers=headers).json()
        assert [row["id"] for row in answer["rows"]] == [wanted]
        assert any("id" in asked for asked in lists(cloud))


def test_pages_are_turned_by_any_worker(cloud: InMemoryCloud) -> None:
    expected = fill(cloud, 5, visibility="community", owner="dept-b")
    first, second = worker(cloud), worker(cloud)
    headers = login(first, cloud)

    page = first.get("/images", params={"size": 3, "view": "public"}, headers=headers).json()
    rest = second.get("/images", params={"size": 3, "view": "public", "cursor": page["next"]}, headers=headers).json()

    assert [row["id"] for row in [*page["rows"], *rest["rows"]]] == expected
    assert (page["previous"], rest["next"]) == (None, None)
    assert "launch" in page["rows"][0]["allowed"]
    assert page["rows"][0]["why_not"]["delete"]


def test_a_registration_is_followed_by_any_worker(cloud: InMemoryCloud) -> None:
    second = worker(cloud)
    with worker(cloud) as first:  # at its end, it waits for its registrations
        headers = login(first, cloud)
        started = first.post("/images", json={"name": "fresh", "url": URL}, headers=headers)

    progress = second.get(f"/images/{started.json()['id']}/progress", headers=headers).json()

    assert started.status_code == 202
    assert (progress["phase"], progress["bytes_done"]) == ("ready", len(samples.data("disk.qcow2")))


def test_a_form_is_filled_and_the_password_handed_over_once(cloud: InMemoryCloud) -> None:
    (image_id,) = fill(cloud, 1, owner="dept-a", hyperx_password_enabled="true", disk_format="qcow2", size=1 << 20)
    browser = worker(cloud)
    headers = login(browser, cloud)

    form = browser.get(f"/images/{image_id}/form", headers=headers).json()
    flavor = next(flavor["name"] for flavor in form["flavors"] if flavor["fits"])
    launched = browser.post(f"/images/{image_id}/servers", json={"name": "web", "flavor": flavor}, headers=headers)

    assert launched.status_code == 201
    assert launched.headers["Cache-Control"] == "no-store"
    assert len(set(launched.json()["admin_password"])) > 5
    assert len(launched.json()["admin_password"]) == 20
    assert [server.name for server in cloud.nova.servers.values()] == ["web"]


@pytest.mark.parametrize(
    ("path", "params", "status", "told"),
    [
        ("/images", {"cursor": "nonsense"}, 422, "another query"),
        ("/images", {"size": 5000}, 422, "Size: must be at most 1000"),
        ("/images", {"view": "everything"}, 403, "administrators"),
        ("/images/0d2b7a52-6b0c-4b6e-9f5e-3f6a1c7d8e90/progress", {}, 404, "0d2b7a52"),
    ],
)
def test_errors_are_told_in_words(
    cloud: InMemoryCloud, path: str, params: dict[str, Any], status: int, told: str
) -> None:
    browser = worker(cloud)

    answer = browser.get(path, params=params, headers=login(browser, cloud))

    assert answer.status_code == status
    assert told in answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/images?cursor=nonsense", {"error": "游标：属于另一个查询，或已被修改"}),
        ("/images?view=everything", {"error": "只有管理员可以查看所有部门的镜像。", "hint": "请切换到“所有”界面。"}),
        ("/images?name=x&min_size=2&max_size=1", {"error": "："}),
        ("/images/nobody/progress", {"error": "没有编号为 nobody 的镜像。", "code": "no-image"}),
        ("/images?size=x", {"error": "大小：必须是整数"}),
        ("/images?created_after=yesterday", {"error": "创建时间不早于：必须是时间"}),
        ("/images?bootable=maybe", {"error": "必须为“是”或“否”"}),
        ("/images?properties=a", {"error": "必须是 JSON 对象，例如"}),
    ],
)
def test_a_browser_in_chinese_is_answered_in_chinese_without_python(
    cloud: InMemoryCloud, path: str, said: dict[str, str]
) -> None:
    browser = worker(cloud)

    answer = browser.get(path, headers={**login(browser, cloud), "Accept-Language": "zh-CN,zh;q=0.9"}).json()

    assert {key: answer[key] for key in said} == said or said["error"] in answer["error"]
    assert not re.search(r"\w\(|`|--", answer["error"] + answer.get("hint", ""))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"flavor": "m1.tiny"}, "名称：该字段必填"),
        ({"name": "web", "flavor": "m1.tiny", "count": 0}, "台数：不能小于 1"),
        ({"name": "web", "flavor": "m1.tiny", "count": "two"}, "台数：必须是整数"),
        ({"name": "web", "flavor": "m1.tiny", "colour": "red"}, "colour：未知字段"),
        ({"name": "web", "flavor": "m1.tiny", "on_failure": "stop"}, "必须是以下之一：keep、delete"),
        ({"name": "web", "flavor": "m1.tiny", "networks": 7}, "必须是"),
        ([], "必须是包含各请求字段的对象"),
        ("{", "必须是有效的 JSON"),
        (" " * 200_000, "正文不能超过"),
    ],
)
def test_a_wrong_body_is_explained_in_chinese(cloud: InMemoryCloud, body: object, said: str) -> None:
    browser = worker(cloud)
    headers = {**login(browser, cloud), "Accept-Language": "zh", "Content-Type": "application/json"}
    content = body if isinstance(body, str) else json.dumps(body)

    answer = browser.post(f"/images/{uuid.uuid4()}/servers", content=content, headers=headers)

    assert answer.status_code in (413, 422)
    assert said in answer.json()["error"]
    assert not re.search(r"Input|should|Field|[a-z]{3,} [a-z]{3,}", answer.json()["error"])


def test_each_button_that_is_missing_is_explained_in_chinese(cloud: InMemoryCloud) -> None:
    fill(cloud, 1, owner="dept-a", protected=True)
    browser = worker(cloud)

    headers = {**login(browser, cloud), "Accept-Language": "zh"}
    (row,) = browser.get("/images", headers=headers).json()["rows"]

    assert row["why_not"]["delete"] == "该镜像受到删除保护。请先取消保护。"
    assert row["why_not"]["feature"] == "只有管理员可以将镜像设为精选。请设为公共，或请管理员操作。"


def test_a_wrong_password_is_told_as_such(cloud: InMemoryCloud) -> None:
    known = cloud.auth("alice")
    who = {"username": known["username"], "password": "wrong", "project_name": known["project_name"]}

    answer = worker(cloud).post("/login", json={**who, "domain_id": known["user_domain_id"]})

    assert answer.status_code == 401
    assert "wrong" not in answer.text


def test_every_filter_of_a_list_is_in_the_address(cloud: InMemoryCloud) -> None:
    fill(cloud, 2, owner="dept-a", disk_format="qcow2", size=5)
    (wanted,) = fill(cloud, 1, owner="dept-a", disk_format="raw", size=2048, hw_disk_bus="virtio", tags=["a", "b"])
    browser = worker(cloud)
    headers = login(browser, cloud)
    address = (
        "/images?formats=raw&formats=vmdk&tags=a&tags=b&min_size=1024&hidden=false&password_enabled=false"
        '&properties={"hw_disk_bus":"virtio"}&sort=name&sort=-id&created_before=2199-01-01T00:00:00Z&kind=image&size=5'
    )

    assert [row["id"] for row in browser.get(address, headers=headers).json()["rows"]] == [wanted]
    assert len(browser.get("/images?hidden=", headers=headers).json()["rows"]) == 3


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"colour": "red"}, "colour"),
        ({"limit": "5"}, "Limit: must be absent"),
        ({"min_size": "x"}, "Smallest size: must be a whole number"),
        ({"properties": "hw_disk_bus=virtio"}, "in JSON"),
        ({"sort": "colour"}, "cannot sort"),
    ],
)
def test_an_unknown_filter_is_refused(cloud: InMemoryCloud, params: dict[str, str], told: str) -> None:
    browser = worker(cloud)

    answer = browser.get("/images", params=params, headers=login(browser, cloud))

    assert answer.status_code == 422
    assert told in str(answer.json())


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"name": "", "flavor": "m1.tiny", "count": 0}, {"name": "不能为空", "count": "不能小于 1"}),
        ({"name": "web", "flavour": "m1.tiny"}, {"flavor": "该字段必填", "flavour": "未知字段"}),
        ({"name": "web", "flavor": "m1.tiny", "on_failure": "x"}, {"on_failure": "必须是以下之一：keep、delete"}),
    ],
)
def test_what_a_framework_refuses_is_told_in_chinese_for_each_field(
    cloud: InMemoryCloud, body: dict[str, Any], fields: dict[str, str]
) -> None:
    browser = worker(cloud)
    headers = {**login(browser, cloud), "Accept-Language": "zh-CN"}

    answer = browser.post("/images/7c1/servers", json=body, headers=headers)

    assert answer.status_code == 422
    assert answer.json()["code"] == "wrong-request"
    assert answer.json()["fields"] == fields
    assert all(problem in answer.json()["error"] for problem in fields.values())


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


def test_the_test_in_the_guide_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    guide = EXAMPLE.with_name("console.rst").read_text()
    block = r"   from console_back_end import create_app\n   from fastapi\.testclient .*?(?=^\S)"
    (code,) = re.findall(block, guide, re.DOTALL | re.MULTILINE)
    monkeypatch.syspath_prepend(EXAMPLE.parent)
    names: dict[str, Any] = {}

    exec(textwrap.dedent(code), names)

    names["test_alice_sees_the_images_of_her_department"](InMemoryCloud())
