"""Ask a language server, as editors do, which words it offers for a parameter that takes one of several.

    python -m tests.typing.editor

A type checker is content with ``str``; a person who writes ``view=""`` sees the tabs only if the words are literals.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

from hyperx_glance import vocabulary
from hyperx_glance.vocabulary import Category, Kind, State, View

ROOT = Path(__file__).parents[2]
SETTINGS = {
    "extraPaths": [str(ROOT)],
    "venv": Path(sys.prefix).name,
    "venvPath": str(Path(sys.prefix).parent),
}
"""Where the library and what it needs is; the server would take a folder .venv of the repository for it."""
PRELUDE = "from hyperx_glance import Client, PageQuery, Settings\n\n\ndef use(client: Client) -> None:\n"
OFFERED: dict[str, set[str]] = {
    'client.images(view="|")': set(View),
    'client.images(kind="|")': set(Kind),
    'client.page(state="|")': set(State),
    'client.images(formats=["|"])': set(vocabulary.DISK_FORMATS),
    'PageQuery(view="|")': set(View),
    'client.update("id", category="|")': set(Category),
    'client.why_not(client.image("id"), "|")': set(vocabulary.Action),
    'Settings(transfer="|")': {"auto", "import", "stream"},
    'Settings(public_visibility="|")': {"community", "public"},
}
"""Where the cursor stands, and what has to be among the words."""


class Server:
    """A client of the language server protocol over a program's pipes."""

    def __init__(self, *command: str) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._numbers = itertools.count(1)

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        assert self._process.stdin
        assert self._process.stdout
        return self._process.stdin, self._process.stdout

    def tell(self, method: str, parameters: object, **more: object) -> None:
        """Send what wants no answer, and what does, with its number."""
        to, _ = self._pipes()
        body = json.dumps({"jsonrpc": "2.0", "method": method, "params": parameters, **more}).encode()
        to.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        to.flush()

    def ask(self, method: str, parameters: object) -> Any:  # noqa: ANN401 - whatever the server answers
        """Send a request, and return its result; what the server asks meanwhile has no answer worth having."""
        number = next(self._numbers)
        self.tell(method, parameters, id=number)
        while True:
            message = self._read()
            if message.get("id") == number and "method" not in message:
                return message["result"]
            if "id" in message:
                self._answer(message)

    def _read(self) -> dict[str, Any]:
        _, source = self._pipes()
        length = 0
        while line := source.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        message: dict[str, Any] = json.loads(source.read(length))
        return message

    def _answer(self, message: dict[str, Any]) -> None:
        to, _ = self._pipes()
        items = message.get("params", {}).get("items", []) if isinstance(message.get("params"), dict) else []
        body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": [{} for _ in items] or None}).encode()
        to.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        to.flush()

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


def missing(folder: Path) -> list[str]:
    """Open a file of the folder with one line for each place, and return what is not offered there."""
    (folder / "pyrightconfig.json").write_text(json.dumps(SETTINGS), encoding="utf-8")
    server = Server(str(Path(sys.executable).with_name("basedpyright-langserver")), "--stdio")
    document = {"uri": (folder / "editor_example.py").as_uri()}
    text = PRELUDE + "".join(f"    {line.replace('|', '')}\n" for line in OFFERED)
    try:
        workspace = {"uri": folder.as_uri(), "name": "example"}
        server.ask("initialize", {"processId": None, "workspaceFolders": [workspace], "capabilities": {}})
        server.tell("initialized", {})
        server.tell(
            "textDocument/didOpen", {"textDocument": {**document, "languageId": "python", "version": 1, "text": text}}
        )
        found = []
        for number, (line, words) in enumerate(OFFERED.items(), PRELUDE.count("\n")):
            place = {"line": number, "character": 4 + line.index("|")}
            answer = server.ask("textDocument/completion", {"textDocument": document, "position": place})
            offered = {item["label"].strip("\"'") for item in (answer or {}).get("items", [])}
            if not words <= offered:
                found.append(f"{line}: {', '.join(sorted(words - offered))}")
        return found
    finally:
        server.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        gone = missing(Path(folder))
    sys.stdout.write("\n".join(gone) + "\n" if gone else f"{len(OFFERED)} places: all words are offered\n")
    sys.exit(1 if gone else 0)
