"""Load the messages of a language from `id.yaml` or `en.yaml`, one message per key."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import yaml


@cache
def messages(language: str) -> dict[str, str]:
    """Return every message by its key, in the file's order, with parts (`{_name}`) filled in.

    Args:
        language: `id` or `en`.

    Raises:
        KeyError: when a message names a part that the file does not define.

    """
    source = files(__package__).joinpath(f"{language}.yaml").read_bytes()
    # The C loader takes 4 ms per file, the Python loader 30 ms.
    found: dict[str, str] = yaml.load(source, yaml.CSafeLoader)
    return {
        key: re.sub(r"\{(_\w+)\}", lambda part: found[part[1]], text)
        for key, text in found.items()
        if not key.startswith("_")
    }
