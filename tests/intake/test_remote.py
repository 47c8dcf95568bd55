"""Folders that are elsewhere: a real SFTP server, and an S3 stand-in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh
import boto3
import psycopg
import pytest
from moto.server import ThreadedMotoServer

from lumbung.errors import SourceError
from lumbung.intake import run
from lumbung.intake.connectors.base import SourceConnection
from lumbung.intake.evidence import Evidence
from lumbung.intake.landing import IntakeCounts
from lumbung.settings import Settings
from tests.support.channel_samples import HEADER, REGISTER, header_merges, workbook
from tests.support.delivered import place
from tests.support.sftp import LOGIN, PASSWORD, Sftp


def register(*keys: str, story: str = "isi") -> bytes:
    body = [
        [n, key, "06/11/2024", "", "Warga A", "", "Bangka", story] for n, key in enumerate(keys, 1)
    ]
    return workbook({"S": [*HEADER, *body]}, merges={"S": header_merges(0)})


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[Sftp]:
    (tmp_path / "sftp" / "register").mkdir(parents=True)
    server = Sftp(tmp_path / "sftp")
    yield server
    server.stop()


@pytest.fixture
def connection(sftp: Sftp) -> SourceConnection:
    return SourceConnection(
        "sftp://127.0.0.1/register",
        port=sftp.port,
        login=LOGIN,
        password=PASSWORD,
        extra={"host_key": sftp.key.export_public_key().decode()},
    )


@pytest.fixture
def pull(
    settings: Settings, database_url: str, add_channel: Callable[..., Path]
) -> Callable[[SourceConnection], IntakeCounts]:
    add_channel(REGISTER, connection="register_jauh")
    return lambda connection: run.pull(
        "register_contoh",
        settings=settings,
        database_url=database_url,
        connection=connection,
        run_key="uji",
    )


Pull = Callable[[SourceConnection], IntakeCounts]


def test_a_register_on_an_sftp_server_twice_and_edited(
    pull: Pull, db: psycopg.Connection, sftp: Sftp, connection: SourceConnection
) -> None:
    file = sftp.root / "register" / "buku.xlsx"
    file.write_bytes(register("1/LP", "2/LP", "3/LP"))
    assert pull(connection) == IntakeCounts(read=3, landed=3)
    assert pull(connection) == IntakeCounts(read=3, duplicate=3)
    (received_at,) = db.execute("select received_at from raw.record limit 1").fetchone() or (None,)
    assert abs(received_at.timestamp() - file.stat().st_mtime) < 1
    file.write_bytes(register("1/LP", "2/LP"))
    assert pull(connection) == IntakeCounts(read=2, duplicate=2, missing=1)
    file.write_bytes(register("1/LP", "2/LP", story="diperbaiki"))
    assert pull(connection) == IntakeCounts(read=2, landed=2, tombstones=1)


def test_an_outage_of_the_sftp_server_in_the_middle(
    pull: Pull, db: psycopg.Connection, sftp: Sftp, connection: SourceConnection
) -> None:
    keys = [[f"{n}/{kind}" for n in range(5)] for kind in ("LP", "TM")]
    (sftp.root / "register" / "a.xlsx").write_bytes(register(*keys[0]))
    (sftp.root / "register" / "b.xlsx").write_bytes(register(*keys[1], story="x" * 500_000))
    sftp.reads_left = 3
    with pytest.raises(SourceError, match=r"cannot be read.*sftp://127.0.0.1/register"):
        pull(connection)
    before = db.execute("select count(*) from raw.record").fetchone()
    assert before in [(0,), (5,)]
    sftp.reads_left = None
    counts = pull(connection)
    assert before is not None
    assert (counts.read, counts.landed + before[0], counts.tombstones) == (10, 10, 0)
    assert pull(connection) == IntakeCounts(read=10, duplicate=10)


def test_an_sftp_server_that_stands_still_is_noticed(
    pull: Pull, sftp: Sftp, connection: SourceConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    (sftp.root / "register" / "buku.xlsx").write_bytes(register("1/LP"))
    monkeypatch.setattr("lumbung.files.REMOTE_SECONDS", 2)
    sftp.stands_still = threading.Event()
    began = time.monotonic()
    with pytest.raises(SourceError, match=r"cannot be read.*sftp://127.0.0.1/register"):
        pull(connection)
    assert time.monotonic() - began < 20
    sftp.stands_still.set()


@pytest.mark.parametrize(
    "change",
    [
        {"password": "salah"},
        {"host": "sftp://127.0.0.1/tidak-ada"},
        {"extra": {"host_key": asyncssh.generate_private_key("ssh-ed25519").export_public_key()}},
        {"extra": {"host_key": "bukan kunci"}},
        {"extra": {}},  # then known_hosts of the account decides, which does not have it
        {"port": 1},
    ],
)
def test_a_wrong_sftp_connection_is_reported_without_its_secrets(
    pull: Pull, connection: SourceConnection, change: dict[str, Any]
) -> None:
    with pytest.raises(SourceError) as caught:
        pull(replace(connection, **change))
    assert "sftp://127.0.0.1/" in str(caught.value)
    assert PASSWORD not in str(caught.value)


@pytest.fixture
def bucket() -> Iterator[tuple[Any, SourceConnection]]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    keys = {"aws_access_key_id": LOGIN, "aws_secret_access_key": PASSWORD}
    client = boto3.client("s3", endpoint_url=address, region_name="us-east-1", **keys)
    client.create_bucket(Bucket="register")
    extra = {"endpoint_url": address, "region_name": "us-east-1"}
    connection = SourceConnection(
        "s3://register/masuk", login=LOGIN, password=PASSWORD, extra=extra
    )
    try:
        yield client, connection
    finally:
        server.stop()


def test_a_register_in_a_bucket_twice_edited_and_unreachable(
    pull: Pull, db: psycopg.Connection, bucket: tuple[Any, SourceConnection]
) -> None:
    client, connection = bucket
    client.put_object(Bucket="register", Key="masuk/a.xlsx", Body=register("1/LP", "2/LP"))
    client.put_object(Bucket="register", Key="lain/b.xlsx", Body=register("9/LP"))
    assert pull(connection) == IntakeCounts(read=2, landed=2)
    assert pull(connection) == IntakeCounts(read=2, duplicate=2)
    nowhere = replace(connection, extra={"endpoint_url": "http://127.0.0.1:1"})
    with pytest.raises(SourceError, match=r"cannot be read.*s3://register/masuk") as caught:
        pull(nowhere)
    assert PASSWORD not in str(caught.value)
    with pytest.raises(SourceError):
        pull(replace(connection, host="s3://tidak-ada/masuk"))
    client.put_object(Bucket="register", Key="masuk/a.xlsx", Body=register("1/LP", "3/LP", "2/LP"))
    counts = pull(connection)
    assert (counts.read, counts.tombstones) == (3, 0)
    found = db.execute("select count(distinct source_id) from raw.record").fetchone()
    assert found == (3,)


def test_a_bucket_with_a_removed_row_and_an_outage_in_the_middle(
    pull: Pull,
    bucket: tuple[Any, SourceConnection],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client, connection = bucket
    for name in ("a", "b"):
        body = register(*(f"{n}/{name}" for n in range(3)))
        client.put_object(Bucket="register", Key=f"masuk/{name}.xlsx", Body=body)
    keep, calls = Evidence.keep, iter(range(9))

    def breaks(self: Evidence, stream: Any) -> Any:
        if next(calls) == 1:  # a.xlsx was read, b.xlsx is there no more
            client.delete_object(Bucket="register", Key="masuk/b.xlsx")
        return keep(self, stream)

    with monkeypatch.context() as patch:
        patch.setattr(Evidence, "keep", breaks)
        with pytest.raises(SourceError, match=r"cannot be read.*s3://register/masuk"):
            pull(connection)
    client.put_object(Bucket="register", Key="masuk/b.xlsx", Body=register("0/b", "1/b", "2/b"))
    assert pull(connection) == IntakeCounts(read=6, landed=3, duplicate=3)
    client.put_object(Bucket="register", Key="masuk/b.xlsx", Body=register("0/b", "1/b"))
    assert pull(connection) == IntakeCounts(read=5, duplicate=5, missing=1)
    body = register("0/b", "1/b", story="diperbaiki")
    client.put_object(Bucket="register", Key="masuk/b.xlsx", Body=body)
    assert pull(connection) == IntakeCounts(read=5, landed=2, duplicate=3, tombstones=1)
    client.delete_object(Bucket="register", Key="masuk/a.xlsx")
    assert pull(connection) == IntakeCounts(read=2, duplicate=2), "a file withdraws nothing"


def test_a_link_on_an_sftp_server_is_quarantined_by_name_and_never_followed(
    pull: Pull,
    db: psycopg.Connection,
    settings: Settings,
    sftp: Sftp,
    connection: SourceConnection,
) -> None:
    (sftp.root / "rahasia.xlsx").write_bytes(register("9/LP"))
    (sftp.root / "register" / "buku.xlsx").write_bytes(register("1/LP"))
    (sftp.root / "register" / "tautan.xlsx").symlink_to(sftp.root / "rahasia.xlsx")
    assert pull(connection) == IntakeCounts(read=2, landed=1, quarantined=1)
    assert db.execute("select locator, reason_code from quarantine.record").fetchall() == [
        (place("tautan.xlsx"), "unreadable_file")
    ]
    kept = [path.read_bytes() for path in settings.evidence.rglob("*") if path.is_file()]
    assert (sftp.root / "rahasia.xlsx").read_bytes() not in kept
