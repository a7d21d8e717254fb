{#-
    The half-open window of run_dates that this invocation restates: `[start, end)`, days in UTC.

    Read from the flags `--event-time-start` and `--event-time-end` (dbt refuses one without the other). Not from
    `--vars`: dbt parses the whole project again whenever a variable changes, but not when a flag does.
    Commands that have no such flags (`dbt test`) and invocations without them mean every day.
-#}

{#- `{'start': 'YYYY-MM-DD', 'end': 'YYYY-MM-DD'}`, or none: every day. -#}
{% macro partition_window() %}
    {%- set start = invocation_args_dict.get('event_time_start') -%}
    {%- set end = invocation_args_dict.get('event_time_end') -%}
    {%- if start is none or end is none -%}
        {{ return(none) }}
    {%- endif -%}
    {{ return({'start': partition_day(start), 'end': partition_day(end)}) }}
{% endmacro %}

{#- The day of one bound. dbt hands it over as a datetime or as text, depending on how it was called. -#}
{% macro partition_day(moment) %}
    {%- set text = (moment | string).replace('T', ' ') -%}
    {%- if text[10:] not in ('', ' 00:00', ' 00:00:00', ' 00:00:00+00:00') -%}
        {{ exceptions.raise_compiler_error(
            "The partition window must begin and end at 00:00 UTC, but a bound is '" ~ moment
            ~ "'. Pass days: --event-time-start 2026-11-20 --event-time-end 2026-11-21."
        ) }}
    {%- endif -%}
    {{ return(text[:10]) }}
{% endmacro %}

{#- A condition that is true for the days of the window. -#}
{% macro in_partition_window(column) -%}
    {%- set window = partition_window() -%}
    {%- if window is none -%}
        true
    {%- else -%}
        ({{ column }} >= cast('{{ window.start }}' as date) and {{ column }} < cast('{{ window.end }}' as date))
    {%- endif -%}
{%- endmacro %}
