-- Who may do what. People and services get these; nobody works as an administrator.
use role useradmin;

create role if not exists vp_loader comment = 'Loads RAW: reads silver through the stage, writes RAW';
create role if not exists vp_transformer comment = 'Builds the schemas of dbt';
create role if not exists vp_publisher comment = 'Publishes a checked build: owns what consumers read';
create role if not exists vp_reader comment = 'Reads the published marts and nothing else';
create role if not exists vp_pipeline comment = 'The pipeline: loads, transforms and publishes';

grant role vp_loader to role vp_pipeline;
grant role vp_transformer to role vp_pipeline;
grant role vp_publisher to role vp_pipeline;

use role securityadmin;

-- What nobody owns an administrator cannot fix.
grant role vp_pipeline to role sysadmin;
grant role vp_reader to role sysadmin;
