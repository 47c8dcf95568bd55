"""Renders a pickled edition read from standard input; prints each artefact's sha256 as JSON."""

import hashlib
import json
import pickle
import sys

from lumbung.publication.render import render

edition = pickle.load(sys.stdin.buffer)
hashes = {name: hashlib.sha256(content).hexdigest() for name, content in render(edition).items()}
print(json.dumps(hashes))
