-- What is removed when it is old.

-- Whether a job of a change was made after it: by a retry, a replay, or since it was missed. The others have ids in a row.
alter table webhook_jobs add column late integer;
update webhook_jobs set late = 1 where order_stage_id is not null and (retry_of is not null or created_at <>
  (select created_at from order_stages where id = order_stage_id));
create index webhook_jobs_late on webhook_jobs (order_stage_id) where late = 1;
-- Tests and operational events, whose payloads several may share.
create index webhook_jobs_apart on webhook_jobs (payload_id) where order_stage_id is null;

create index notifications_read on notifications (read_at) where read_at is not null;

-- How long what is final is kept, in days; absent where the configuration decides.
alter table integrations add column retention_days integer;

-- Up to which change and job an integration's payloads were looked at that go before their jobs do.
create table payload_removals (
  integration_id integer primary key,
  order_stage_id integer not null,
  webhook_job_id integer not null
) strict;
