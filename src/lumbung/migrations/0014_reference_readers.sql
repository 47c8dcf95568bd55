-- Analysts read the vocabularies, legal limits and published figures that the marts' codes mean: every
-- build grants them the seeds, table by table (dbt_project.yml). reference.channel and channel_field
-- stay shut: a channel's file names a person of the office; marts.dim_channel has what readers need.
grant usage on schema reference to analyst_regency, analyst_province, auditor;
