select
    days.date_day,
    days.week_id,
    days.week_start_date,
    extract(year from days.date_day)::integer as year_number,
    extract(quarter from days.date_day)::integer as quarter_number,
    extract(month from days.date_day)::integer as month_number,
    months.month_name,
    extract(isodow from days.date_day)::integer as weekday_number,
    weekdays.weekday_name,
    weekdays.weekday_name_en,
    extract(isodow from days.date_day) >= 6 as is_weekend,
    holidays.holiday_name is not null as is_holiday,
    holidays.holiday_name,
    holidays.holiday_name_en,
    days.stage_code
from {{ ref('int_calendar__staged') }} as days
left join {{ ref('holiday') }} as holidays on days.date_day = holidays.holiday_date
inner join (
    values
    (1, 'Januari'), (2, 'Februari'), (3, 'Maret'), (4, 'April'), (5, 'Mei'), (6, 'Juni'),
    (7, 'Juli'), (8, 'Agustus'), (9, 'September'), (10, 'Oktober'), (11, 'November'), (12, 'Desember')
) as months (month_number, month_name) on extract(month from days.date_day) = months.month_number
inner join (
    values
    (1, 'Senin', 'Monday'), (2, 'Selasa', 'Tuesday'), (3, 'Rabu', 'Wednesday'), (4, 'Kamis', 'Thursday'),
    (5, 'Jumat', 'Friday'), (6, 'Sabtu', 'Saturday'), (7, 'Minggu', 'Sunday')
) as weekdays (weekday_number, weekday_name, weekday_name_en)
    on extract(isodow from days.date_day) = weekdays.weekday_number
