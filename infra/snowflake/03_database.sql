-- The database and one schema per layer. The pipeline creates PUBLISHED, which consumers read: a publication swaps it.
use role sysadmin;

create database if not exists ${database} comment = 'Amazon-marketplace analytics';
alter database ${database} set data_retention_time_in_days = 7;

create schema if not exists ${database}.raw with managed access comment = 'Silver as it was loaded, by day';
create schema if not exists ${database}.stg with managed access comment = 'Views over RAW';
create schema if not exists ${database}.core with managed access comment = 'Histories, one row per change';
create schema if not exists ${database}.mart with managed access comment = 'Marts as dbt builds and checks them';
create schema if not exists ${database}.monitoring with managed access comment = 'What checks measured';

-- For the clones of `vp diff`; empty between two of them.
create transient database if not exists ${database}_diff comment = 'Clones that a diff builds on';
alter database ${database}_diff set data_retention_time_in_days = 0;

-- What dbt can build again from RAW needs no week of history.
alter schema ${database}.stg set data_retention_time_in_days = 1;
alter schema ${database}.core set data_retention_time_in_days = 1;
alter schema ${database}.mart set data_retention_time_in_days = 1;
