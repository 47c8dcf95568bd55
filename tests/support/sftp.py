"""An SFTP server, for channels and copies of backups."""

from __future__ import annotations

import asyncio
import errno
import os
import threading
from pathlib import Path
from typing import Any

import asyncssh

LOGIN, PASSWORD = "petugas", "sandi-rekaan"


class Sftp:
    """An SFTP server in a thread of its own, with a switch for an outage.

    Attributes:
        reads_left: after so many reads it cuts the connection.
        bytes_left: after so many bytes it cuts the connection, or refuses when `is_full`.
        stands_still: a read waits for this, and so does every other answer.

    """

    def __init__(self, root: Path, client_key: asyncssh.SSHKey | None = None) -> None:
        self.root = root
        self.reads_left: int | None = None
        self.bytes_left: int | None = None
        self.is_full = False
        self.stands_still: threading.Event | None = None
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        outer = self

        class Server(asyncssh.SSHServer):
            def begin_auth(self, username: str) -> bool:
                return True

            def password_auth_supported(self) -> bool:
                return True

            def validate_password(self, username: str, password: str) -> bool:
                return (username, password) == (LOGIN, PASSWORD)

            def public_key_auth_supported(self) -> bool:
                return client_key is not None

            def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
                if client_key is None or username != LOGIN:
                    return False
                return bool(key == client_key.convert_to_public())

        class Files(asyncssh.SFTPServer):
            def __init__(self, channel: Any) -> None:
                super().__init__(channel, chroot=str(root).encode())
                self._connection = channel.get_connection()

            def read(self, *given: Any) -> Any:
                if outer.stands_still is not None:
                    outer.stands_still.wait(30)
                if outer.reads_left is not None:
                    outer.reads_left -= 1
                    if outer.reads_left < 0:
                        self._connection.abort()
                return super().read(*given)

            def write(self, file_obj: Any, offset: int, data: bytes) -> Any:
                if outer.bytes_left is not None:
                    outer.bytes_left -= len(data)
                    if outer.bytes_left < 0 and outer.is_full:
                        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                    if outer.bytes_left < 0:
                        self._connection.abort()
                return super().write(file_obj, offset, data)

        async def start() -> Any:
            return await asyncssh.create_server(
                Server, "127.0.0.1", 0, server_host_keys=[self.key], sftp_factory=Files
            )

        self._server = self._run(start())
        self.port = self._server.sockets[0].getsockname()[1]

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def stop(self) -> None:
        async def close() -> None:
            self._server.close()
            await asyncio.sleep(0)

        self._run(close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
