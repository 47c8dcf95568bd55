-- Before eight weeks have ended there are no four weeks to compare the last four with.
alter table published.profile alter column previous_4_weeks_count drop not null;
