{#-
    Change tables: one row a key, from the newest snapshot that has the key, whatever order days were loaded in.

    The rule. Of all RAW rows of a key the one with the greatest (snapshot_at, run_date) wins. A key that newer
    snapshots do not have keeps its row: absence is not deletion. Only a key that no RAW row has any more goes.

    Restating a window W of run_dates (RAW: "delete the day, load the day", so a day's rows may have changed or gone)
    ends in what the rule says about all of RAW, without reading all of it:

    - filed      RAW rows of W;
    - candidates the newest of them for each key;
    - orphans    keys whose row came from W and is not matched any more by a candidate at least as new. The row that
                 stood behind it may be on any day, so these keys alone are looked up in the rest of RAW (normally
                 there are none, and a hash join with nothing reads nothing);
    - standing   rows that came from outside W: a candidate takes the place of an older one only.

    The strategy `newest_snapshot` then deletes every row that came from W (a row that is still right comes back with
    the insert) and the rows that are replaced, and inserts, in one transaction.

    Why it is exact: call a day clean when it was restated after RAW last changed it. A table row is never older than
    any row of a clean day, and if its own day is clean then RAW has it. Both hold after each restatement, so once
    every day is clean, each row is the newest of all RAW. Days that are not clean yet cannot spoil it: their rows are
    looked at again when they are restated.

    Without a window, on the first run and with `--full-refresh`: every day of RAW.
-#}

{#-
    The rows to insert: `key`, `columns`, snapshot_at and run_date.

    source: a relation with those columns. key, columns: lists of names. `key` is also the model's `unique_key`.
-#}
{% macro newest_snapshot(source, key, columns) %}
{%- set everything = key + columns + ['snapshot_at', 'run_date'] -%}
{%- set restating = is_incremental() and partition_window() is not none -%}
with
filed as (
    select
        {{ everything | join(',\n        ') }}
    from {{ source }}
    {%- if restating %}
    where {{ in_partition_window('run_date') }}
    {%- endif %}
),

candidates as (
    select
        {{ everything | join(',\n        ') }}
    from filed
    qualify {{ newest_first(key) }} = 1
)
{%- if not restating %}

select
    {{ everything | join(',\n    ') }}
from candidates
{%- else %},

held as (
    select
        {{ (key + ['snapshot_at', 'run_date']) | join(',\n        ') }}
    from {{ this }}
    where {{ in_partition_window('run_date') }}
),

orphans as (
    select
        {{ columns_of('held', key) | join(',\n        ') }}
    from held
    left join candidates on {{ same_key('held', 'candidates', key) }}
    where candidates.run_date is null or {{ is_newer('held', 'candidates') }}
),

rescued as (
    select
        {{ columns_of('elsewhere', everything) | join(',\n        ') }}
    from {{ source }} as elsewhere
    inner join orphans on {{ same_key('elsewhere', 'orphans', key) }}
    where not {{ in_partition_window('elsewhere.run_date') }}
),

contenders as (
    select
        {{ everything | join(',\n        ') }}
    from candidates
    union all
    select
        {{ everything | join(',\n        ') }}
    from rescued
),

newest as (
    select
        {{ everything | join(',\n        ') }}
    from contenders
    qualify {{ newest_first(key) }} = 1
),

standing as (
    select
        {{ (key + ['snapshot_at', 'run_date']) | join(',\n        ') }}
    from {{ this }}
    where not {{ in_partition_window('run_date') }}
)

select
    {{ columns_of('newest', everything) | join(',\n    ') }}
from newest
left join standing on {{ same_key('newest', 'standing', key) }}
where standing.run_date is null or {{ is_newer('newest', 'standing') }}
{%- endif %}
{% endmacro %}

{% macro newest_first(key) -%}
    row_number() over (partition by {{ key | join(', ') }} order by snapshot_at desc, run_date desc)
{%- endmacro %}

{% macro is_newer(one, other) -%}
    (
        {{ one }}.snapshot_at > {{ other }}.snapshot_at
        or ({{ one }}.snapshot_at = {{ other }}.snapshot_at and {{ one }}.run_date > {{ other }}.run_date)
    )
{%- endmacro %}

{% macro same_key(one, other, key) -%}
    {%- for column in key -%}
        {{ one }}.{{ column }} = {{ other }}.{{ column }}{{ ' and ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{% macro columns_of(relation, columns) %}
    {%- set qualified = [] -%}
    {%- for column in columns -%}
        {%- do qualified.append(relation ~ '.' ~ column) -%}
    {%- endfor -%}
    {{ return(qualified) }}
{% endmacro %}
