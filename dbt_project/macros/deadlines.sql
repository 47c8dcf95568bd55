{% macro deadline_state(day, deadline) -%}
    {#- The state of a deadline on a day, a code of the seed `deadline_state`. `deadline` is a relation
        with the bounds of its start, of its last day and of its end (fct_deadline). Between the bounds of
        its start it may have begun, between those of its last day it may have passed, between those of
        its end it may have ended. A deadline that ended after the day is running on it. -#}
    {%- set d = deadline -%}
    {%- set first_last_day = d ~ '.extended_due_date' -%}
    {%- set is_open -%}
        ({{ d }}.start_to_date <= {{ day }} and coalesce({{ day }} < {{ d }}.end_from_date, true))
    {%- endset -%}
    case
        when {{ d }}.end_to_date <= least({{ day }}, {{ first_last_day }}) then 'MET'
        when {{ d }}.end_to_date <= {{ day }} and {{ d }}.end_from_date > {{ d }}.latest_due_date
            then 'MISSED'
        when {{ d }}.end_to_date <= {{ day }} then 'MAYBE_MISSED'
        when {{ day }} > {{ d }}.latest_due_date and {{ is_open }} then 'OVERDUE'
        when {{ day }} > {{ first_last_day }} then 'MAYBE_OVERDUE'
        when not {{ is_open }} then 'MAYBE_OPEN'
        when {{ first_last_day }} - {{ day }} < 3 then 'DAYS_' || {{ first_last_day }} - {{ day }}
        when {{ first_last_day }} - {{ day }} < 6 then 'DAYS_3'
        else 'DAYS_6'
    end
{%- endmacro %}
