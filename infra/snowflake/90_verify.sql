-- Checks that what was created exists and responds. A query without a row fails; the stage may be empty at first.
-- The users' own parameters, before a role is taken on that may not see them.
show parameters in user vp_pipeline_user;
select count(*) as set_for_the_pipeline
from table(result_scan(last_query_id()))
where
    ("key" = 'TIMEZONE' and "value" = 'UTC')
    or ("key" = 'TIMESTAMP_TYPE_MAPPING' and "value" = 'TIMESTAMP_NTZ')
    or ("key" = 'WEEK_START' and "value" = '1')
    or ("key" = 'WEEK_OF_YEAR_POLICY' and "value" = '0')
    or ("key" = 'DATE_INPUT_FORMAT' and "value" = 'AUTO')
    or ("key" = 'DATE_OUTPUT_FORMAT' and "value" = 'YYYY-MM-DD')
    or ("key" = 'TIMESTAMP_INPUT_FORMAT' and "value" = 'AUTO')
    or ("key" = 'TIMESTAMP_NTZ_OUTPUT_FORMAT' and "value" = 'YYYY-MM-DD HH24:MI:SS.FF3')
    or ("key" = 'QUOTED_IDENTIFIERS_IGNORE_CASE' and "value" = 'false')
having count(*) = 9;
show parameters in user vp_reader_user;
select count(*) as set_for_the_reader
from table(result_scan(last_query_id()))
where
    ("key" = 'TIMEZONE' and "value" = 'UTC')
    or ("key" = 'TIMESTAMP_TYPE_MAPPING' and "value" = 'TIMESTAMP_NTZ')
    or ("key" = 'WEEK_START' and "value" = '1')
    or ("key" = 'WEEK_OF_YEAR_POLICY' and "value" = '0')
    or ("key" = 'DATE_INPUT_FORMAT' and "value" = 'AUTO')
    or ("key" = 'DATE_OUTPUT_FORMAT' and "value" = 'YYYY-MM-DD')
    or ("key" = 'TIMESTAMP_INPUT_FORMAT' and "value" = 'AUTO')
    or ("key" = 'TIMESTAMP_NTZ_OUTPUT_FORMAT' and "value" = 'YYYY-MM-DD HH24:MI:SS.FF3')
    or ("key" = 'QUOTED_IDENTIFIERS_IGNORE_CASE' and "value" = 'false')
having count(*) = 9;

use role vp_pipeline;
use warehouse vp_load;
use database veracitypro;

list @veracitypro.raw.silver_stage/keepa/;
select count(*) as layers
from veracitypro.information_schema.schemata
where schema_name in ('RAW', 'STG', 'CORE', 'MART', 'SNAPSHOT', 'MONITORING')
having count(*) = 6;
show grants to role vp_loader;
show grants to role vp_transformer;
show grants to role vp_publisher;
show grants to role vp_reader;
