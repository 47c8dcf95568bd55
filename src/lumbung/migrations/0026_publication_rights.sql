-- Whether the marts hold all that had come, and whether a build broke off in the middle of them.
grant select (landed_count, tombstone_count) on raw.batch to publisher;
grant select on ops.model_run to publisher;
