"""A real PgBouncer in transaction mode, before the tests' PostgreSQL."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from lumbung.local.processes import Processes, hold_port


@contextmanager
def pgbouncer(
    folder: Path, server_url: str, accounts: Mapping[str, str], forced: str = ""
) -> Iterator[int]:
    """Yield the port of a pooler of every database of a server.

    Args:
        folder: a folder of its own.
        server_url: the server, by the account that the pooler forces with `forced`.
        accounts: the passwords of the accounts that may log in.
        forced: settings of all databases, such as `user=`.

    """
    program = shutil.which("pgbouncer")
    assert program, "pgbouncer is not installed (Debian: apt-get install pgbouncer)"
    server = conninfo_to_dict(server_url)
    (folder / "users.txt").write_text(
        "".join(f'"{name}" "{password}"\n' for name, password in accounts.items())
    )
    processes = Processes(folder / "run", folder / "logs")
    with hold_port() as port:
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\n* = host={server['host']} port={server['port']} {forced}\n"
            "[pgbouncer]\npool_mode = transaction\ndefault_pool_size = 4\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port.number}\nunix_socket_dir =\n"
            f"auth_type = scram-sha-256\nauth_file = {folder / 'users.txt'}\n"
        )
        for path in (folder, *folder.iterdir()):
            path.chmod(path.stat().st_mode | 0o055)
        as_nobody = ["-u", "nobody"] * (os.geteuid() == 0)  # PgBouncer does not run as root
        processes.spawn(
            "pgbouncer", [program, *as_nobody, str(folder / "pgbouncer.ini")], dict(os.environ)
        )
        processes.wait_until_listening("pgbouncer", port.number, 10)
    try:
        yield port.number
    finally:
        processes.stop("pgbouncer")


def through(url: str, port: int) -> str:
    """Return the URL of the same database and account by another port of this machine."""
    return url.replace(f":{conninfo_to_dict(url)['port']}/", f":{port}/")
