"""Whatever waits for another process, a lock, the network or a thread has a bound."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

BOUNDS = {
    **dict.fromkeys(
        ("subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output"),
        "timeout",
    ),
    **dict.fromkeys(
        ("httpx.Client", "httpx.get", "httpx.post", "urllib.request.urlopen"), "timeout"
    ),
    **dict.fromkeys(
        ("smtplib.SMTP", "smtplib.SMTP_SSL", "imaplib.IMAP4", "imaplib.IMAP4_SSL"), "timeout"
    ),
    "socket.create_connection": "timeout",
    "psycopg.connect": "connect_timeout",
}
"""Functions that wait without end, unless they have this argument."""

WITHOUT_ARGUMENT = {"acquire", "communicate", "get", "join", "result", "wait"}
"""Methods of processes, threads, queues and futures that wait without end without an argument."""

WAITS_FOR_THE_DATABASE = {"self.wait()", "thread.wait()", "written.result()"}
"""In `intake/run.py`: a chunk is written by statements that have a bound each."""


def unbounded(code: str) -> list[str]:
    """The calls in a module that may wait without end."""
    return [
        ast.unparse(call)
        for call in ast.walk(ast.parse(code))
        if isinstance(call, ast.Call) and _is_unbounded(call)
    ]


def _is_unbounded(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    if name.endswith(("flock", "lockf")):
        return "LOCK_NB" not in ast.unparse(call)
    if name in BOUNDS:
        given = {keyword.arg for keyword in call.keywords}
        by_place = {arg.id.lower() for arg in call.args if isinstance(arg, ast.Name)}
        return BOUNDS[name] not in given and f"{BOUNDS[name]}_seconds" not in by_place
    is_method = isinstance(call.func, ast.Attribute) and call.func.attr in WITHOUT_ARGUMENT
    return is_method and not call.args and not call.keywords


@pytest.mark.parametrize(
    "code",
    [
        "fcntl.flock(file, fcntl.LOCK_EX)",
        "subprocess.run(['sleep', 'infinity'], check=True)",
        "process.wait()",
        "queue.get()",
        "smtplib.SMTP('mail', 25)",
        "psycopg.connect(url)",
    ],
)
def test_a_wait_without_a_bound_is_found(code: str) -> None:
    assert unbounded(code) == [code]


def test_every_wait_has_a_bound() -> None:
    found = {
        (file.relative_to(ROOT).as_posix(), call)
        for folder in ("src", "dags", "plugins")
        for file in (ROOT / folder).rglob("*.py")
        for call in unbounded(file.read_text(encoding="utf-8"))
    }
    assert found == {("src/lumbung/intake/run.py", call) for call in WAITS_FOR_THE_DATABASE}
