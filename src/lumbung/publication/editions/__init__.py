"""The states of an edition: frozen as a draft, approved or rejected, published.

`freezing` copies one week from the warehouse into the schema `published`. `review` renders the
draft and records the decision with the hashes of the files that were reviewed. `publishing` stores
the files of the approved edition and writes them to a folder.
"""
