"""Load JSON lines with dlt into PostgreSQL; run by `intake.py` with the peers' interpreter."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import dlt


@dlt.resource(name="ukur", max_table_nesting=0, write_disposition="append")
def records(path: str) -> Iterator[list[dict[str, Any]]]:
    with open(path) as file:  # noqa: PTH123
        while lines := file.readlines(5 << 20):
            yield [json.loads(line) for line in lines]


url, path = sys.argv[1:]
pipeline = dlt.pipeline("ukur", destination=dlt.destinations.postgres(url), dataset_name="dlt")
pipeline.run(records(path), loader_file_format="csv")
