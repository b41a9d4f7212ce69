-- How many deliveries there were in each minute and each hour, for each subscription and each integration as a whole. The period comes first, so
-- that all that is counted at one time lies together, and what is old is found. Each node counts in rows of its own: none waits for another's commit.
create table delivery_statistics (
  step_seconds bigint not null,
  -- When the period began.
  begins_at bigint not null,
  integration_id bigint not null,
  -- 0 for the integration as a whole.
  webhook_out_sub_id bigint not null,
  measure text collate "C" not null,
  -- Which class of durations, as the program numbers them.
  duration_class bigint not null,
  node_id bigint not null,
  counted bigint not null,
  primary key (step_seconds, begins_at, integration_id, webhook_out_sub_id, measure, duration_class, node_id)
) with (fillfactor = 50);
