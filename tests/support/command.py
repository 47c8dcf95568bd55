"""The command `lumbung`, as a person runs it, without a start of Python for each.

One process imports what commands import, and forks for each command: that takes a tenth of the CPU
time of `python -m lumbung.cli`. The program itself is run by `tests/end_to_end/test_commands.py`
and `tests/end_to_end/test_tools.py`.

    python -m tests.support.command DESCRIPTOR
"""

from __future__ import annotations

import atexit
import functools
import importlib
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

IMPORTED = (
    *("lumbung.cli", "lumbung.demo.run", "lumbung.intake.run", "lumbung.local.stack"),
    *("lumbung.publication.model.store", "lumbung.warehouse.roles"),
)
CALL = """import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    asked = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
    socket.send_fds(server, [b"%8d" % len(asked)], [0, 1, 2])
    server.sendall(asked)
    sys.exit(int(server.recv(4)))
"""


def lumbung(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command with variables beside those of this process."""
    return subprocess.run(
        [program(), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@functools.cache
def program() -> Path:
    """A file `lumbung` that is run like the one of the environment."""
    folder = tempfile.TemporaryDirectory(prefix="lumbung-command-")
    address = Path(folder.name) / "socket"
    written = Path(folder.name) / "lumbung"
    written.write_text(f"#!{sys.executable} -IS\n{CALL.format(address=str(address))}")
    written.chmod(0o755)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(address))
        listening.listen()
        server = subprocess.Popen(
            [sys.executable, "-m", __name__, str(listening.fileno())],
            stdin=subprocess.PIPE,  # it ends with this process
            pass_fds=[listening.fileno()],
            cwd=Path(__file__).parents[2],
        )

    def end() -> None:
        assert server.stdin
        server.stdin.close()
        server.wait(30)
        folder.cleanup()

    atexit.register(end)
    return written


def serve(listening: socket.socket) -> None:
    """Run one command after the other until standard input is closed."""
    for name in IMPORTED:
        importlib.import_module(name)
    while select.select([listening, 0], [], [])[0] == [listening]:
        caller, _ = listening.accept()
        with caller:
            length, descriptors, _, _ = socket.recv_fds(caller, 8, 3)
            asked = b""
            while len(asked) < int(length):
                asked += caller.recv(1 << 20)
            child = os.fork()
            if not child:
                listening.close()
                caller.close()
                _run(descriptors, *json.loads(asked))
            for descriptor in descriptors:
                os.close(descriptor)
            _, status = os.waitpid(child, 0)
            caller.sendall(b"%4d" % (os.waitstatus_to_exitcode(status) % 256))


def _run(
    descriptors: list[int], arguments: list[str], environment: dict[str, str], folder: str
) -> NoReturn:
    """Become the command."""
    from lumbung.cli import main

    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = ["lumbung", *arguments]
    code = 1
    try:
        main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
