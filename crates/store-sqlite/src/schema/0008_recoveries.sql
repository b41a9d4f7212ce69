-- Work on many jobs that goes on after a restart.

create table recoveries (
  id integer primary key,
  integration_id integer not null,
  kind text not null,
  -- What is to be done, as JSON.
  work text not null,
  webhook_out_sub_id integer,
  state text not null,
  per_second integer not null,
  matched integer not null,
  matched_capped integer not null,
  -- The last job or change that was looked at, and the last one that there was when it began.
  looked_at_id integer not null,
  last_id integer,
  looked_at integer not null,
  made integer not null,
  created_at integer not null,
  updated_at integer not null,
  finished_at integer
) strict;
create index recoveries_running on recoveries (id) where finished_at is null;
