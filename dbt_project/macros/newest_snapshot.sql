{#-
    Change tables: one row per key, from the newest snapshot that has the key, whatever order days were loaded in.

    The rule. Of all RAW rows of a key the one with the greatest (snapshot_at, run_date) wins. A key that newer
    snapshots do not have keeps its row: absence is not deletion. Only a key that no RAW row has any more goes.
    `precedence` may name other columns of a row instead: the proof needs an order of the rows, and no particular one.

    Restating a window W of run_dates (RAW: "delete the day, load the day", so a day's rows may have changed or gone)
    ends in what the rule gives for all of RAW, without reading all of it:

    - source_rows    RAW rows of W;
    - candidates     the newest of them for each key;
    - window_rows    rows of the table that came from W;
    - orphaned_keys  those of their keys that no candidate at least as new has any more. The next newest row may be on
                     any day, so these keys alone are looked up in the rest of RAW (normally there are none, and a
                     hash join with nothing reads nothing);
    - fallback_rows  what is found there;
    - current_rows   rows of the table that came from outside W: a candidate replaces an older one only.

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

    source: a relation with those columns. key, columns: lists of names. `key` is also the model's `unique_key`; where
    snapshot_at is in it, every response has rows of its own.
    precedence: the columns by which one row of a key wins, none of them ever null; the table has them too. Of one
    run_date no two rows of a key are equal in all of them.
-#}
{% macro newest_snapshot(source, key, columns, precedence=['snapshot_at', 'run_date']) %}
{%- set everything = (key + columns + ['snapshot_at', 'run_date']) | unique | list -%}
{%- set ranked = (key + precedence + ['run_date']) | unique | list -%}
{%- set restating = is_incremental() and partition_window() is not none -%}
with
source_rows as (
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
    from source_rows
    qualify {{ newest_first(key, precedence) }} = 1
)
{%- if not restating %}

select
    {{ everything | join(',\n    ') }}
from candidates
{%- else %},

window_rows as (
    select
        {{ ranked | join(',\n        ') }}
    from {{ this }}
    where {{ in_partition_window('run_date') }}
),

orphaned_keys as (
    select
        {{ columns_of('window_rows', key) | join(',\n        ') }}
    from window_rows
    left join candidates on {{ same_key('window_rows', 'candidates', key) }}
    where candidates.run_date is null or {{ is_newer('window_rows', 'candidates', precedence) }}
),

fallback_rows as (
    select
        {{ columns_of('other_days', everything) | join(',\n        ') }}
    from {{ source }} as other_days
    inner join orphaned_keys on {{ same_key('other_days', 'orphaned_keys', key) }}
    where not {{ in_partition_window('other_days.run_date') }}
),

candidates_and_fallbacks as (
    select
        {{ everything | join(',\n        ') }}
    from candidates
    union all
    select
        {{ everything | join(',\n        ') }}
    from fallback_rows
),

newest as (
    select
        {{ everything | join(',\n        ') }}
    from candidates_and_fallbacks
    qualify {{ newest_first(key, precedence) }} = 1
),

current_rows as (
    select
        {{ ranked | join(',\n        ') }}
    from {{ this }}
    where not {{ in_partition_window('run_date') }}
)

select
    {{ columns_of('newest', everything) | join(',\n    ') }}
from newest
left join current_rows on {{ same_key('newest', 'current_rows', key) }}
where current_rows.run_date is null or {{ is_newer('newest', 'current_rows', precedence) }}
{%- endif %}
{% endmacro %}

{% macro newest_first(key, precedence) -%}
    row_number() over (partition by {{ key | join(', ') }} order by {{ precedence | join(' desc, ') }} desc)
{%- endmacro %}

{#- By the first column of `precedence` in which the two differ. -#}
{% macro is_newer(one, other, precedence) -%}
    (
        {%- for column in precedence %}
        {%- set equal = precedence[:loop.index0] %}
        {{ 'or ' if not loop.first -}}
        ({{ same_key(one, other, equal) ~ ' and ' if equal }}{{ one }}.{{ column }} > {{ other }}.{{ column }})
        {%- endfor %}
    )
{%- endmacro %}
