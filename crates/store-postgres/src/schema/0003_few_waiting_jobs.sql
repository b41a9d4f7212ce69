-- Few: late ones, for retention, and tests and operational events, whose payloads several may share.
create index webhook_jobs_waiting_late on webhook_jobs_waiting (order_stage_id) where late;
create index webhook_jobs_waiting_apart on webhook_jobs_waiting (payload_id) where order_stage_id is null;
