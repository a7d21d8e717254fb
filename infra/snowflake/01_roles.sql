-- Who may do what. People and services get these; nobody works as an administrator.
use role useradmin;

create role if not exists ${prefix}_loader comment = 'Loads RAW: reads silver through the stage, writes RAW';
create role if not exists ${prefix}_transformer comment = 'Builds the schemas of dbt';
create role if not exists ${prefix}_publisher comment = 'Publishes a checked build: owns what consumers read';
create role if not exists ${reader_role} comment = 'Reads the published marts and nothing else';
create role if not exists ${role} comment = 'The pipeline: loads, transforms and publishes';

grant role ${prefix}_loader to role ${role};
grant role ${prefix}_transformer to role ${role};
grant role ${prefix}_publisher to role ${role};

use role securityadmin;

-- What nobody owns an administrator cannot fix.
grant role ${role} to role sysadmin;
grant role ${reader_role} to role sysadmin;
