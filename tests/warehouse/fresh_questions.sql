-- name: laporan_of_belitung_timur
-- How many laporan has Kabupaten Belitung Timur received since the campaign began?
select count(*)
from marts.obt_case
where record_kind = 'LP' and regency_code = '19.06' and is_counted_in_metrics;

-- name: districts_of_bangka
-- How are the suspected violations of Kabupaten Bangka spread over its kecamatan, those of before the campaign included?
select district_name, count(*)
from marts.obt_case
where is_suspected_violation and regency_code = '19.01'
group by district_name;

-- name: tips_of_the_third_week
-- How many tips did each regency receive in the campaign's third week?
select regency_name, count(*)
from marts.obt_case
inner join marts.dim_week using (week_id)
where record_kind = 'IA' and campaign_week_number = 3
group by regency_name;

-- name: received_in_the_quiet_days
-- How many suspected violations came in during the quiet days?
select count(*)
from marts.obt_case
inner join marts.dim_stage as quiet on quiet.stage_code = 'MASA_TENANG'
where is_suspected_violation and received_date between quiet.start_date and quiet.end_date;

-- name: about_the_first_days
-- How many suspected violations concern something that happened in the campaign's first seven days?
select count(*)
from marts.obt_case
where is_suspected_violation and occurred_date between '2024-09-25' and '2024-10-01';

-- name: money_politics_alone
-- How many cases of any kind name money politics and no other theme?
select count(*)
from marts.obt_case
where issue_codes = array['PU'];

-- name: accused_in_pangkalpinang
-- Who is accused in the laporan of Kota Pangkal Pinang, by role?
select accused_role_name, count(*)
from marts.obt_case
where record_kind = 'LP' and regency_code = '19.71'
group by accused_role_name;

-- name: share_of_findings_registered
-- What percentage of all temuan was registered, with one decimal?
select round(100.0 * count(*) filter (where registration_outcome = 'registered') / count(*), 1)
from marts.obt_case
where record_kind = 'TM';

-- name: laporan_registered_by_regency
-- How many laporan of each regency were registered?
select regency_name, count(*)
from marts.obt_case
where record_kind = 'LP' and registration_outcome = 'registered'
group by regency_name;

-- name: material_requirements
-- How many laporan of each regency were refused registration because the material requirements were not met?
select regency_name, count(*)
from marts.obt_case
where record_kind = 'LP' and non_registration_reason_code = 'MATERIEL'
group by regency_name;

-- name: results_in_bangka_barat
-- What became of the registered cases of Kabupaten Bangka Barat?
select result_name_en, count(*)
from marts.obt_case
where registration_outcome = 'registered' and regency_code = '19.05'
group by result_name_en;

-- name: to_gakkumdu
-- How many cases went to the Sentra Gakkumdu?
select count(*)
from marts.obt_case
where forwarding_target_name ilike '%gakkumdu%';

-- name: follow_up_by_body
-- Of the cases forwarded to each body, how many are closed there, and how many were forwarded in all?
select forwarding_target_code, count(*) filter (where is_follow_up_closed), count(*)
from marts.obt_case
where is_forwarded
group by forwarding_target_code;

-- name: cases_by_channel
-- Through which channels did all cases, tips included, come?
select channel, count(*)
from marts.obt_case
group by channel;

-- name: median_days_to_report
-- What is the median number of days between learning of an event and bringing the laporan?
select percentile_disc(0.5) within group (order by days_from_known_to_received)
from marts.obt_case
where record_kind = 'LP';

-- name: longest_wait
-- What is the longest that anybody waited, after learning of an event, to bring a laporan in each regency?
select regency_name, max(days_from_known_to_received)
from marts.obt_case
where record_kind = 'LP' and days_from_known_to_received is not null
group by regency_name;

-- name: on_the_same_day
-- How many laporan were brought on the very day on which the reporter learned of the event?
select count(*)
from marts.obt_case
where record_kind = 'LP' and days_from_known_to_received = 0;

-- name: no_district
-- For how many cases of each regency is the kecamatan not known?
select regency_name, count(*)
from marts.obt_case
where district_code = 'UNSTATED'
group by regency_name;

-- name: tips_on_money_politics
-- From which regencies did the tips about money politics come?
select regency_name, count(*)
from marts.obt_case
where record_kind = 'IA' and 'PU' = any (issue_codes)
group by regency_name;

-- name: crimes_in_november
-- How many suspected election crimes (PID) were received in November 2024?
select count(*)
from marts.obt_case
where
    is_suspected_violation
    and 'PID' = any (violation_type_codes)
    and received_date between '2024-11-01' and '2024-11-30';

-- name: two_types
-- How many suspected violations have exactly two types of violation?
select count(*)
from marts.obt_case
where is_suspected_violation and violation_type_count = 2;

-- name: groups_of_themes
-- How many suspected violations fall into each group of themes, each counted once in a group?
select issue_group_code, count(distinct report_id)
from marts.obt_case_issue
where is_suspected_violation
group by issue_group_code;

-- name: events_on_weekends
-- How many campaign events were supervised on a Saturday or Sunday?
select count(*)
from marts.obt_supervision
inner join marts.dim_date on activity_date = date_day
where is_campaign_event and is_weekend;

-- name: events_by_campaign_week
-- How did the campaign events of Kota Pangkal Pinang develop over the weeks of the campaign?
select campaign_week_number, count(*)
from marts.obt_supervision
inner join marts.dim_week using (week_id)
where is_campaign_event and regency_code = '19.71' and campaign_week_number is not null
group by campaign_week_number;

-- name: mass_rallies
-- How many mass rallies (rapat umum) were held for the election of regents?
select count(*)
from marts.obt_supervision
where is_campaign_event and election_code = 'PILBUP' and method_name ilike 'rapat umum%';

-- name: busiest_week
-- Which week, or weeks, brought the most cases of any kind, and how many?
select week_id, count(*)
from marts.obt_case
group by week_id
order by count(*) desc
fetch first 1 rows with ties;

-- name: events_without_method
-- How many campaign events of each regency have no stated method?
select regency_name, count(*)
from marts.obt_supervision
where is_campaign_event and method_code = 'UNSTATED'
group by regency_name;

-- name: participants_by_regency
-- How many people took part in the prevention activities that each regency entered in the Formulir Pencegahan?
select regency_name, sum(participant_count)
from marts.obt_prevention
where is_form_entry
group by regency_name;

-- name: activities_for_the_young
-- How many entries of the Formulir Pencegahan address young people and students?
select count(*)
from marts.obt_prevention
where is_form_entry and target_group_names ilike '%pemuda%';

-- name: prevention_by_month
-- How many prevention actions do the recaps report for each month?
select to_char(activity_date, 'YYYY-MM'), count(*)
from marts.obt_prevention
where not is_form_entry
group by 1;

-- name: prevention_by_office_level
-- Which levels of office made the entries of the Formulir Pencegahan?
select office_level_code, count(*)
from marts.obt_prevention
where is_form_entry
group by office_level_code;

-- name: largest_audience
-- What is the largest number of participants of one activity in each form of prevention?
select prevention_form_code, max(participant_count)
from marts.obt_prevention
where is_form_entry and participant_count is not null
group by prevention_form_code;

-- name: missed_recaps
-- Which kecamatan missed at least one weekly recap, and how many did each miss?
select district_name, count(*)
from marts.obt_recap
where not is_submitted
group by district_code, district_name;

-- name: recaps_by_week
-- How many recaps were due and how many came in, in each week of the campaign?
select campaign_week_number, count(*), count(*) filter (where is_submitted)
from marts.obt_recap
group by campaign_week_number;

-- name: brought_too_late
-- In how many laporan of each regency was the legal limit for bringing them certainly exceeded?
select regency_name, count(*)
from marts.obt_deadline
where rule_code = 'LAPOR' and not is_kept
group by regency_name;

-- name: villages_reached
-- How many villages of each regency had at least one prevention activity?
select regency_name, count(distinct village_code)
from marts.obt_prevention
where village_code <> 'UNSTATED'
group by regency_name;

-- name: until_the_end_of_october
-- How many suspected violations had come in since the campaign began by the end of October 2024?
select count(*)
from marts.obt_case
where is_suspected_violation and is_counted_in_metrics and received_date <= '2024-10-31';

-- name: per_hundred_polling_stations
-- How many suspected violations are there per 100 polling stations in each regency, with two decimals?
select cases.regency_name, round(100.0 * count(*) / max(regencies.polling_station_count), 2)
from marts.obt_case as cases
inner join marts.dim_regency as regencies using (regency_code)
where cases.is_suspected_violation and not regencies.is_unknown
group by cases.regency_name;

-- name: governor_by_kind
-- How many laporan and how many temuan concern the election of the governor, by their numbers?
select record_kind, count(*)
from marts.obt_case
where is_suspected_violation and election_code = 'PILGUB'
group by record_kind;

-- name: hoaxes_by_week
-- How many tips about black campaigns and hoaxes came in each week?
select week_id, count(*)
from marts.obt_case
where record_kind = 'IA' and 'KH' = any (issue_codes)
group by week_id;
