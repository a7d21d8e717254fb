-- Checks that what was created exists and responds. A query without a row fails; the stage may be empty at first.
-- The users' own parameters, before a role is taken on that may not see them.
show parameters in user ${role}_user;
select count(*) as set_for_the_pipeline
from table(result_scan(last_query_id()))
where ${set_as_needed}
having count(*) = ${session_parameter_count};
show parameters in user ${reader_role}_user;
select count(*) as set_for_the_reader
from table(result_scan(last_query_id()))
where ${set_as_needed}
having count(*) = ${session_parameter_count};

use role ${role};
use warehouse ${warehouse};
use database ${database};

-- Asks S3, in the role of the integration, for a folder that stays empty: those of the sources grow.
list @${database}.${stage}/verify/;
select count(*) as layers
from ${database}.information_schema.schemata
where schema_name in ('RAW', 'STG', 'CORE', 'MART', 'MONITORING')
having count(*) = 5;
show grants to role ${prefix}_loader;
show grants to role ${prefix}_transformer;
show grants to role ${prefix}_publisher;
show grants to role ${reader_role};
