-- The database and one schema per layer. The pipeline creates PUBLISHED, which consumers read: a publication swaps it.
use role sysadmin;

create database if not exists veracitypro comment = 'Amazon-marketplace analytics';
alter database veracitypro set data_retention_time_in_days = 7;

create schema if not exists veracitypro.raw with managed access comment = 'Silver as it was loaded, by day';
create schema if not exists veracitypro.stg with managed access comment = 'Views over RAW';
create schema if not exists veracitypro.core with managed access comment = 'Histories, one row per change';
create schema if not exists veracitypro.mart with managed access comment = 'Marts as dbt builds and checks them';
create schema if not exists veracitypro.snapshot with managed access comment = 'What dimensions were like';
create schema if not exists veracitypro.monitoring with managed access comment = 'What checks measured';

-- For the clones of `vp diff`; empty between two of them.
create transient database if not exists veracitypro_diff comment = 'Clones that a diff builds on';
alter database veracitypro_diff set data_retention_time_in_days = 0;

-- What dbt can build again from RAW needs no week of history.
alter schema veracitypro.stg set data_retention_time_in_days = 1;
alter schema veracitypro.core set data_retention_time_in_days = 1;
alter schema veracitypro.mart set data_retention_time_in_days = 1;
