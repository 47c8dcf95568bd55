-- What a person decided is compared with the time of builds and editions, so it has the time of the same clock
-- (0099), which in a demo is not the real one.
alter table ops.link_decision alter decided_at set default ops.now();
alter table ops.exclusion_decision alter decided_at set default ops.now();
alter table ops.mapping_decision alter decided_at set default ops.now();
alter table ops.channel_decision alter decided_at set default ops.now();

comment on view editions.restatement is 'Metrics of an earlier edition that a later one found different, with the reasons. The six counts of reasons sum to the difference. A metric whose value is the same has no row, even where late and withdrawn cases cancel each other, as they may in the province: sum causes over the rows of the regencies. One changed record gives a row for each metric, for its regency and for the province, for its week and for each sum to date, and again for each earlier edition that held it: do not sum the rows of several metrics, periods or editions. `is_headline` marks the rows that the edition prints and counts.';
comment on column editions.restatement.edited_count is 'Difference through deliveries that were edited, or that were withdrawn and came back.';
