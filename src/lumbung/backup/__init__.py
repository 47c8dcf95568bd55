"""Backups of an installation, their restore and the drill that proves that they restore.

A backup is a folder that appears under its name only when it is whole
(docs/explanation/adr/0022-backups-are-dumps.md):

- `warehouse.dump`, `airflow.dump`, `roles.json`: both databases, and the roles of the warehouse.
- `home/`: evidence, inboxes, drafts and every other file of `LUMBUNG_HOME` that nothing can
  compute. Editions and the portal are in the warehouse.
- `project/`: the office's `channels/`, `config/` and `dbt_project/seeds/`.
- `keys.age`: the keys, encrypted to a recipient whose private key is not on this machine.
- `manifest.json`: the SHA-256 of every file, and the rows of every table.
"""
