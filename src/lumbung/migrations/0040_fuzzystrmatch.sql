-- Slips of the pen in the names of months (dbt_project/macros/read_date.sql).
create extension if not exists fuzzystrmatch;
