"""The life of an edition: frozen, reviewed as a draft, approved or rejected, published.

`freezing` copies one week out of the warehouse into the schema `published`; `review` renders the
draft and binds a decision to the bytes that were reviewed; `publishing` stores the approved
edition's bytes and shows them as a folder.
"""
