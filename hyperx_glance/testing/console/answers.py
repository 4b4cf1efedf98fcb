"""Answers: models for people, errors with the field that caused them, and the few sentences of the console itself.

>>> own_words("foreign-page", "en")
'Only pages of this console can send this request.'

Every other sentence is the library's, in the language that the page has chosen.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from fastapi import Depends, Request
from fastapi.responses import JSONResponse

from hyperx_glance import (
    FlavorTooSmallError,
    HyperxGlanceError,
    LocalFileError,
    Text,
    UrlRejectedError,
    invalid_request,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi.exceptions import RequestValidationError
    from pydantic import BaseModel
    from starlette.datastructures import Headers
    from starlette.exceptions import HTTPException

LOG = logging.getLogger(__name__)
Language = Literal["en", "zh"]

_OWN: Final[Mapping[str, tuple[int, str, str]]] = {
    "wrong-host": (421, "This console answers on loopback only.", "本控制台只在本机回环地址上应答。"),
    "foreign-page": (403, "Only pages of this console can send this request.", "只有本控制台的页面可以发送此请求。"),
    "no-console-header": (
        403,
        "The request lacks the header X-Console, which the pages of this console send.",
        "请求缺少本控制台页面所发送的 X-Console 请求头。",
    ),
    "query-not-allowed": (
        400,
        "This must be sent in the body: access logs keep the addresses of requests.",
        "请在请求正文中发送：访问日志会记录请求的地址。",
    ),
    "length-required": (411, "The request must tell the length of its body.", "请求必须说明正文的长度。"),
    "body-too-long": (413, "The body is longer than this request may have.", "正文超过了该请求允许的长度。"),
    "wrong-length": (400, "The file is not as long as was said before.", "文件的长度与之前所述不符。"),
    "wrong-content-type": (
        415,
        "The body must be JSON, with the content type application/json; a file has application/octet-stream.",
        "正文必须是 JSON，内容类型为 application/json；文件的内容类型为 application/octet-stream。",
    ),
    "session-ended": (
        401,
        "You are not logged in, or the session has ended. Log in.",
        "您尚未登录或会话已结束。请登录。",
    ),
    "too-many": (429, "This runs too often at once. Wait a moment.", "同时进行的操作过多。请稍候。"),
    "no-upload": (
        404,
        "There is no such upload, or its time has passed. Begin again.",
        "没有此上传，或其时限已过。请重新开始。",
    ),
    "no-such-page": (404, "There is no such address.", "没有该地址。"),
    "wrong-method": (405, "This address does not take such requests.", "该地址不接受此类请求。"),
    "mistake": (500, "The console made a mistake; its log says more.", "控制台出现内部错误，详见其日志。"),
}
"""Code: status, English, Chinese."""
_FIELDS: Final = ((LocalFileError, "file"), (FlavorTooSmallError, "flavor"))
"""The field of the page's forms that an error is about, if the error does not name its fields itself."""


class Refusal(Exception):  # noqa: N818  # it is no mistake of the program
    """A request that the console itself refuses."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def own_words(code: str, language: Language) -> str:
    """Return a sentence of the console itself."""
    _, english, chinese = _OWN[code]
    return chinese if language == "zh" else english


def language_from(headers: Headers, cookies: Mapping[str, str]) -> Language:
    """Return the language that the page has chosen in its cookie, or the one that the browser asks for."""
    chosen = cookies.get("language") or headers.get("Accept-Language", "")
    return "zh" if chosen.lower().startswith("zh") else "en"


def language_of(request: Request) -> Language:
    """Return the language of the answer."""
    return language_from(request.headers, request.cookies)


InLanguage = Annotated[Language, Depends(language_of)]


def shown(model: BaseModel, language: Language) -> dict[str, Any]:
    """Return the JSON of a model whose texts are for people."""
    dumped: dict[str, Any] = model.model_dump(
        mode="json", context={"language": language, "audience": "person"}, exclude={"glance_record"}
    )
    return dumped


# ----------------------------------------------------------------- errors


def told(error: HyperxGlanceError, language: Language) -> dict[str, Any]:
    """Repeat the library's sentences in words for people, with the fields and the ids of what may have been made."""

    def words(text: Text) -> str:
        return text.in_language(language, audience="person")

    problems: Mapping[str, Text] = getattr(error, "problems", {})
    fields = {name: words(problem) for name, problem in problems.items()}
    if isinstance(error, UrlRejectedError):
        fields[error.field] = words(error.message)
    fields |= {name: words(error.message) for kind, name in _FIELDS if isinstance(error, kind)}
    made = {name: getattr(error, name) for name in ("image_id", "launch_id", "capture_id") if getattr(error, name)}
    said = {"code": error.code, "error": words(error.message), "hint": words(error.hint), "fields": fields}
    return said | {"explanation": error.explanation, "status": error.suggested_status} | made


def refused(code: str, language: Language) -> dict[str, Any]:
    """Say in the shape of an error why the console itself refuses a request."""
    error: dict[str, Any] = {
        "code": code,
        "error": own_words(code, language),
        "hint": "",
        "fields": {},
        "explanation": "",
    }
    return error | {"status": _OWN[code][0]}


def answer(error: dict[str, Any]) -> JSONResponse:
    """Answer with an error."""
    return JSONResponse(error, status_code=error["status"])


def tell(request: Request, error: HyperxGlanceError) -> JSONResponse:
    """Answer with an error of the library."""
    return answer(told(error, language_of(request)))


def refuse(request: Request, refusal: Refusal) -> JSONResponse:
    """Answer with a refusal of the console itself."""
    return answer(refused(refusal.code, language_of(request)))


def correct(request: Request, error: RequestValidationError) -> JSONResponse:
    """Name what is wrong in this library's words, without the values, which may be passwords."""
    return tell(request, invalid_request({**each, "loc": each["loc"][1:]} for each in error.errors()))


def miss(request: Request, error: HTTPException) -> JSONResponse:
    """Answer a request for which there is no route."""
    code = "wrong-method" if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED else "no-such-page"
    return answer(refused(code, language_of(request)))
