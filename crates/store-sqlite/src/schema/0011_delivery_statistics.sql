-- How many deliveries there were in each minute and each hour, for each subscription and each integration as a whole. The period comes first, so
-- that all that is counted at one time lies together, and what is old is found.
create table delivery_statistics (
  step_seconds integer not null,
  -- When the period began.
  begins_at integer not null,
  integration_id integer not null,
  -- 0 for the integration as a whole.
  webhook_out_sub_id integer not null,
  measure text not null,
  -- Which class of durations, as the program numbers them.
  duration_class integer not null,
  counted integer not null,
  primary key (step_seconds, begins_at, integration_id, webhook_out_sub_id, measure, duration_class)
) strict, without rowid;
