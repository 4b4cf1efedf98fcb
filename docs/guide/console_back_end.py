"""A console's back end: pages of rows, the buttons of each row, a form to fill in.

Every worker can answer every request: the browser sends its session and its cursor, and Glance keeps everything else.
Secrets are in headers and bodies only, because the addresses of requests are kept in access logs.
"""

import contextlib
import functools
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Literal

from fastapi import Depends, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from keystoneauth1 import session
from keystoneauth1.identity import v3
from pydantic import BaseModel, SecretStr

from hyperx_glance import (
    Action,
    AvailabilityZone,
    CatalogueIndex,
    Client,
    FlavorChoice,
    HyperxGlanceError,
    Image,
    KeyPair,
    LaunchRequest,
    NetworkChoice,
    NewImage,
    PageQuery,
    Progress,
    Registration,
    Settings,
    Text,
    invalid_request,
)

LARGEST_BODY = 112 * 1024  # bytes, as in OpenStack's services (oslo_middleware/sizelimit.py)
REGISTRATIONS_AT_ONCE = 20
Visible = Header(pattern="^[!-~]+$")  # an empty project id would mean a token for no project


class Asked(BaseModel, extra="forbid"):
    """What a browser sends, and nothing else."""


class Login(Asked):
    """What a person types to log in."""

    username: str
    password: SecretStr
    project_name: str
    domain_id: str = "default"


class LoggedIn(BaseModel):
    """What the browser sends with each further request, as X-Auth-Token and X-Project-Id."""

    token: str
    project_id: str


class NewUrl(Asked):
    """What a person types to register an image; the URL may have a password or a signature in it."""

    name: str
    url: SecretStr


class Row(BaseModel):
    """One line of the table, with its buttons, and the reason for each button that is missing."""

    id: str
    name: str
    state: str
    category: str
    size: int | None
    owner: str
    allowed: list[Action]
    why_not: dict[Action, str]


class Page(BaseModel):
    """The rows of a page, and the cursors of the next and the previous page."""

    rows: list[Row]
    next: str | None
    previous: str | None


class Started(BaseModel):
    """The id with which to request the progress."""

    id: str


class Form(BaseModel):
    """What can be chosen for servers of one image."""

    flavors: list[FlavorChoice]
    networks: list[NetworkChoice]
    key_pairs: list[KeyPair]
    availability_zones: list[AvailabilityZone]


class LaunchedOnce(BaseModel):
    """The password as a plain text, only in this answer: it is not stored."""

    launch_id: str
    admin_password: str | None


def refusal(request: Request) -> tuple[int, str, str] | None:
    """Return the status and the reason, in English and Chinese, for which a request is refused unread; or None."""
    if request.method in ("GET", "HEAD"):
        return None
    if request.url.query:
        reason = "This must be sent in the body: access logs keep the addresses of requests."
        return 400, reason, "请在请求正文中发送：访问日志会记录请求的地址。"
    length = request.headers.get("content-length", "")
    if "transfer-encoding" in request.headers or not (length.isascii() and length.isdigit()):
        return 411, "The request must tell the length of its body.", "请求必须说明正文的长度。"
    if len(length) > len(str(LARGEST_BODY)) or int(length) > LARGEST_BODY:
        return 413, f"The body must not be longer than {LARGEST_BODY} bytes.", f"正文不能超过 {LARGEST_BODY} 字节。"
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        reason = "The body must be JSON, with the content type application/json."
        return 415, reason, "正文必须是 JSON，内容类型为 application/json。"
    return None


async def guard(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    """Answer what is not refused, and let no browser or proxy keep the answer."""
    refused = refusal(request)
    if refused is None:
        response = await answer(request)
    else:
        status, english, chinese = refused
        response = JSONResponse({"error": chinese if language_of(request) == "zh" else english}, status_code=status)
    response.headers["Cache-Control"] = "no-store"  # it may hold a token or a password
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def correct(request: Request, error: RequestValidationError) -> JSONResponse:
    """Name what is wrong in this library's words, without the values, which may be passwords."""
    return tell(request, invalid_request({**each, "loc": each["loc"][1:]} for each in error.errors()))


def language_of(request: Request) -> Literal["en", "zh"]:
    """Return the language that the browser asks for: Chinese, or else English."""
    return "zh" if request.headers.get("Accept-Language", "").lower().startswith("zh") else "en"


Language = Annotated[Literal["en", "zh"], Depends(language_of)]


def tell(request: Request, error: HyperxGlanceError) -> JSONResponse:
    """Repeat the library's sentences in words for people, and the ids of what may have been made."""

    def words(text: Text) -> str:
        return text.in_language(language_of(request), audience="person")

    fields = {name: words(problem) for name, problem in getattr(error, "problems", {}).items()}
    made = {name: getattr(error, name) for name in ("image_id", "launch_id", "capture_id") if getattr(error, name)}
    said = {"code": error.code, "error": words(error.message), "hint": words(error.hint), "fields": fields}
    return JSONResponse(said | made | {"explanation": error.explanation}, status_code=error.suggested_status)


def shown(model: BaseModel, language: Language) -> JSONResponse:
    """Answer with a model whose texts are for people."""
    return JSONResponse(model.model_dump(mode="json", context={"language": language, "audience": "person"}))


def create_app(
    auth_url: str, settings: Settings | None = None, make_index: Callable[[], CatalogueIndex] | None = None
) -> FastAPI:
    """Make the application for one cloud; with many images, each worker makes an index when a request needs it."""
    index = functools.cache(make_index) if make_index else None  # after the fork
    # Threads of their own: however many registrations run, there are threads that answer requests.
    registering = ThreadPoolExecutor(REGISTRATIONS_AT_ONCE, thread_name_prefix="registration")

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None, None]:
        yield
        registering.shutdown(cancel_futures=True)  # those that wait for a thread are unfinished registrations

    app = FastAPI(title="Images", lifespan=lifespan, docs_url=None, redoc_url=None)  # docs run another site's scripts
    app.middleware("http")(guard)
    app.exception_handler(RequestValidationError)(correct)
    app.exception_handler(HyperxGlanceError)(tell)

    @functools.lru_cache(maxsize=1000)
    def session_of(token: str, project_id: str) -> session.Session:
        return session.Session(auth=v3.Token(auth_url, token=token, project_id=project_id))

    def client_of(x_auth_token: Annotated[str, Visible], x_project_id: Annotated[str, Visible]) -> Client:
        """Make the caller's client, which takes microseconds and no request."""
        return Client.from_session(session_of(x_auth_token, x_project_id), settings=settings)

    @app.post("/login")
    def login(who: Login) -> LoggedIn:
        auth = v3.Password(
            auth_url,
            username=who.username,
            password=who.password.get_secret_value(),
            user_domain_id=who.domain_id,
            project_name=who.project_name,
            project_domain_id=who.domain_id,
        )
        own = session.Session(auth=auth)
        project_id = Client.from_session(own).project_id  # logs in, and fails in words of this library
        return LoggedIn(token=str(own.get_token()), project_id=project_id)

    @app.get("/images")
    def images(
        client: Annotated[Client, Depends(client_of)], query: Annotated[PageQuery, Query()], language: Language
    ) -> Page:
        page = index().page(client, query) if index else client.page(query)
        rows = [_row(client, image, language) for image in page.images]
        return Page(rows=rows, next=page.next, previous=page.previous)

    @app.post("/images", status_code=202)
    def register(new: NewUrl, client: Annotated[Client, Depends(client_of)]) -> Started:
        wanted = NewImage(name=new.name, url=new.url.get_secret_value())
        registration = client.start_registration(wanted, keep_failed=True)
        registering.submit(_finish, registration)
        return Started(id=registration.image_id)

    @app.get("/images/{image_id}/progress", responses={200: {"model": Progress}})
    def progress(image_id: str, client: Annotated[Client, Depends(client_of)], language: Language) -> JSONResponse:
        return shown(client.progress(image_id), language)

    @app.get("/images/{image_id}/form", responses={200: {"model": Form}})
    def form(image_id: str, client: Annotated[Client, Depends(client_of)], language: Language) -> JSONResponse:
        choices = Form(
            flavors=client.flavors(image_id),
            networks=client.networks(),
            key_pairs=client.key_pairs(),
            availability_zones=client.availability_zones(),
        )
        return shown(choices, language)

    @app.post("/images/{image_id}/servers", status_code=201)
    def launch(image_id: str, wanted: LaunchRequest, client: Annotated[Client, Depends(client_of)]) -> LaunchedOnce:
        launch = client.launch(image_id, wanted, wait=False)
        password = launch.admin_password
        return LaunchedOnce(
            launch_id=launch.launch_id, admin_password=None if password is None else password.get_secret_value()
        )

    return app


def _row(client: Client, image: Image, language: Literal["en", "zh"]) -> Row:
    allowed = client.allowed(image)
    missing = {action: client.why_not(image, action) for action in Action if action not in allowed}
    return Row(
        id=image.id,
        name=image.name,
        state=image.state,
        category=image.category,
        size=image.size,
        owner=client.owner_name(image),
        allowed=sorted(allowed),
        why_not={action: why.in_language(language, audience="person") for action, why in missing.items()},
    )


def _finish(registration: Registration) -> None:
    """Upload the data if it is streamed, and verify the image; if this fails, the record keeps the reason."""
    try:
        registration.wait()
    except Exception:
        logging.getLogger(__name__).warning("registration of %s failed", registration.image_id, exc_info=True)
