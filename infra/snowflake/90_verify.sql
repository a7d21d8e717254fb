-- Checks that what was created exists and responds. A query without a row fails; the stage may be empty at first.
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
