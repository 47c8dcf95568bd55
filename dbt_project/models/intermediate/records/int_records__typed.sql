{{ config(
    materialized='incremental',
    unique_key=['delivery_id'],
    indexes=[
        {'columns': ['delivery_id'], 'unique': true},
    ],
    post_hook="{{ after_full_build('create index on ' ~ this ~ ' (counted_date) where exclusion_code is null') }}",
    meta={'affected_keys': 'delivery'}
) }}
-- One row per current delivery: its texts parsed into dates, numbers and codes, and whether it counts.
-- `exclusion_code` is null where it counts.
{%- set fields = canonical_fields() %}
{%- set dates = fields | selectattr('parser', 'equalto', 'date') | list %}
{%- set terms = fields | rejectattr('parser', 'equalto', 'list') | selectattr('vocabulary') | list %}
{#- Columns replaced by `kind_code`, `counted_date` and `forwarding_target_code` are left out. #}
{%- set merged = [
    'record_kind', 'activity_kind', 'received_date', 'activity_date', 'period_date', 'forwarded_to'
] %}
{%- set counts = {
    'participants': 'participant_count',
    'planned_activities': 'planned_activity_count',
    'planned_participants': 'planned_participant_count',
} %}
with keyed as (
    select
        *,
        {{ place_id() }} as place_id,
        {{ number_key('register_number_raw') }} as number_key,
        coalesce({{ is_blank('register_number_raw') }}, true) as is_number_blank
    from {{ ref('stg_intake__records') }}
    where {{ is_affected('delivery_id', 'delivery') }}
    -- prevents inlining, so that the number is parsed once per row
    offset 0 -- noqa: AM09
),

records as (
    select
        *,
        case
            when number_key ~ ({{ register_number_pattern() }})
                then string_to_array(replace(number_key, '/REG/', '/'), '/')
        end as number_parts
    from keyed
    offset 0 -- noqa: AM09
),

read as (
    select
        records.*,
        batches.landed_at,
        case when records.has_receipt_time then {{ jakarta_date('records.received_at') }} end as receipt_date,
        records.number_parts[2] as register_kind,
        coalesce(record_kind.code, activity_kind.code, records.default_record_kind) as said_code,
        records.number_parts is not null and records.number_key like '%/REG/%' as has_registered_number,
        {% for field in dates -%}
            {{ field.name }}.date_day as {{ field.name }},
        {% endfor -%}
        {% for field in terms -%}
            {{ field.name }}.code as {{ field.name }}_code,
        {% endfor -%}
        status.forwarding_target_code as status_target_code
    from records
    inner join {{ source('raw', 'batch') }} as batches on records.batch_id = batches.batch_id
    {% for field in dates -%}
        left join {{ ref('int_dates__read') }} as {{ field.name }}
            on records.{{ field.column }} = {{ field.name }}.date_raw
    {% endfor -%}
    {% for field in terms -%}
        left join {{ ref('int_terms__mapped') }} as {{ field.name }}
            on
                {{ field.name }}.vocabulary = '{{ field.vocabulary }}'
                and records.{{ field.column }} = {{ field.name }}.term_raw
    {% endfor -%}
),

kinded as (
    select
        *,
        -- The kind comes from the legal number, else from the row, else from the channel. Without a
        -- number no case is an LP or TM, whatever a form calls it (domain.md 1.2).
        case
            when is_number_blank and said_code in ('LP', 'TM') then 'IA'
            else coalesce(register_kind, said_code)
        end as kind_code
    from read
),

dated as (
    select
        *,
        case
            when kind_code in ('LP', 'TM') then received_date
            -- The day of receipt of a tip comes from its row, else from the channel.
            when kind_code = 'IA' then coalesce(received_date, receipt_date)
            -- A plan counts in no week.
            when kind_code = 'PLAN' then null
            else coalesce(activity_date, period_date)
        end as counted_date
    from kinded
)

select
    delivery_id,
    record_id,
    channel,
    source_id,
    received_at,
    reporter_key,
    -- the day on which the channel received the delivery; null where the channel does not state it
    receipt_date,
    {{ jakarta_date('landed_at') }} as landed_date,
    place_id,
    kind_code,
    number_parts[1]
    || '/' || case when has_registered_number then 'Reg/' else '' end
    || register_kind
    || '/' || number_parts[3]
    || '/' || case number_parts[4] when 'RI' then 'RI' else initcap(number_parts[4]) end
    || '/' || number_parts[5]
    || '/' || number_parts[6]
    || '/' || number_parts[7] as register_number,
    has_registered_number,
    number_parts[1]::integer as register_sequence,
    number_parts[3] as register_election_code,
    number_parts[4] as register_level_code,
    number_parts[5] as register_area_code,
    make_date(
        number_parts[7]::integer,
        array_position(
            array['I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX', 'X', 'XI', 'XII'],
            number_parts[6]
        ),
        1
    ) as register_month_date,
    activity_kind_code is not null as is_recap,
    counted_date,
    {%- for field in dates if field.name not in merged %}
    {{ field.name }},
    {%- endfor %}
    {%- for field in terms if field.name not in merged %}
    {{ field.name }}_code,
    {%- endfor %}
    {%- for field in fields if field.parser == 'list' %}
    {{ field.column }},
    {%- endfor %}
    {%- for field, column in counts.items() %}
    {{ whole_number(field ~ '_raw') }} as {{ column }},
    {%- endfor %}
    -- the numbers that say something else than one whole number, and those that a plan lacks
    array_remove(array[
        {%- for field, column in counts.items() %}
        case
            when
                {{ whole_number(field ~ '_raw') }} is null
                {%- if field == 'planned_activities' %}
                and kind_code = 'PLAN'
                {%- else %}
                and not {{ is_blank(field ~ '_raw') }}
                {%- endif %}
                then '{{ field }}'
        end {{- ',' if not loop.last }}
        {%- endfor %}
    ], null) as unreadable_counts,
    coalesce(forwarded_to_code, status_target_code) as forwarding_target_code,
    -- evidence that the row is a test of the system
    test_score,
    case
        when is_excluded then 'excluded_by_person'
        when
            kind_code = 'IA'
            and ops.term_key(narrative_raw) ~ (
                '^(pesan ini (telah )?dihapus|anda (telah )?menghapus pesan ini'
                || '|this message was deleted|you deleted this message)$'
            )
            then 'deleted_message'
        when
            kind_code = 'IA'
            and is_free_text
            and num_nonnulls(
                occurred_date_raw, regency_raw, district_raw, village_raw, regency_code_raw,
                district_code_raw, village_code_raw, issue_list
            ) = 0
            then 'not_a_report'
        when test_score >= {{ var('test_row_from') }} then 'test_row'
        -- Fields that determine whether and when it counts; another field that is too long is just not
        -- read.
        when
            too_long_fields && array[
                'register_number', 'record_kind', 'activity_kind',
                'received_date', 'activity_date', 'period_date'
            ]
            then 'value_too_long'
        when not is_number_blank and number_parts is null then 'unreadable_number'
        when kind_code is null then 'unknown_kind'
        -- The text is empty, or not a day of the calendar.
        when counted_date is null and kind_code <> 'PLAN' then 'date_missing'
        -- A plan is that of one regency.
        when
            kind_code = 'PLAN'
            and coalesce({{ is_blank('regency_code_raw') }}, true)
            and (
                coalesce({{ is_blank('regency_raw') }}, true)
                or {{ names_province('regency_raw', 'dated.province_code') }}
            )
            then 'plan_without_regency'
        -- A plan needs a period.
        when kind_code = 'PLAN' and (plan_start_date <= plan_end_date) is not true then 'date_missing'
        when
            counted_date < {{ first_plausible_date() }}
            or counted_date > {{ jakarta_date('landed_at') }}
            then 'implausible_date'
    end as exclusion_code
from dated
