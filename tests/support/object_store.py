"""An object store that speaks S3, for what reads its keys from the environment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from moto.server import ThreadedMotoServer


@contextmanager
def object_store(bucket: str) -> Iterator[dict[str, str]]:
    """Serve an empty bucket of this name; yield the environment of its users."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        aws_access_key_id="uji",
        aws_secret_access_key="uji",
    )
    # What an earlier server of this process held is still there.
    for old in client.list_buckets()["Buckets"]:
        for item in client.list_objects_v2(Bucket=old["Name"]).get("Contents", ()):
            client.delete_object(Bucket=old["Name"], Key=item["Key"])
        client.delete_bucket(Bucket=old["Name"])
    client.create_bucket(Bucket=bucket)
    try:
        yield {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "uji",
            "AWS_SECRET_ACCESS_KEY": "uji",
            "AWS_DEFAULT_REGION": "us-east-1",
        }
    finally:
        server.stop()
