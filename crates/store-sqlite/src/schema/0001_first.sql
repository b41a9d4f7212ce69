-- Times are microseconds since 1970. Lists and structures are JSON text.
-- References are kept by the code that writes them, not by the engine: what is removed because of its age
-- goes with what belongs to it (0010).

create table applications (
  id integer primary key,
  slug text not null unique,
  integration_id integer,
  token_hash blob not null unique,
  created_at integer not null,
  token_created_at integer not null
) strict;

create table integrations (
  id integer primary key,
  key text not null unique,
  name text not null,
  created_at integer not null,
  updated_at integer not null
) strict;

create table list_items (
  id integer primary key,
  key text not null,
  slug text not null,
  name text not null,
  description text,
  active integer not null,
  created_at integer not null,
  updated_at integer not null,
  unique (key, slug)
) strict;

create table webhook_out_subs (
  id integer primary key,
  integration_id integer not null,
  key text not null,
  name text not null,
  callback_url text not null,
  statuses text not null,
  events text not null,
  notification_emails text,
  success_code text,
  payload_render_view text,
  active integer not null,
  notify integer not null,
  version text not null,
  ordering text not null,
  timeout_seconds integer,
  max_in_flight integer,
  -- Sealed with the secret key.
  signing_secret blob not null,
  previous_signing_secret blob,
  previous_signs_until integer,
  created_at integer not null,
  updated_at integer not null,
  -- A deleted one keeps its history and frees its key.
  deleted_at integer
) strict;
create unique index webhook_out_subs_by_key on webhook_out_subs (integration_id, key) where deleted_at is null;
create index webhook_out_subs_by_integration on webhook_out_subs (integration_id, id);

-- The health of each lane that was ever other than healthy.
create table lanes (
  webhook_out_sub_id integer primary key,
  record text not null
) strict;

create table orders (
  id integer primary key,
  integration_id integer not null,
  external_order_id text,
  status text not null,
  -- How many stages it has had.
  sequence integer not null,
  fields text not null,
  -- The street, for people and for the search.
  address text,
  created_at integer not null,
  updated_at integer not null
) strict;
create unique index orders_by_external_order_id on orders (integration_id, external_order_id)
  where external_order_id is not null;
create index orders_by_integration on orders (integration_id, id);
create index orders_by_address on orders (integration_id, address) where address is not null;

create table order_stages (
  id integer primary key,
  integration_id integer not null,
  order_id integer not null,
  sequence integer not null,
  stage text not null,
  event_slug text,
  update_status integer not null,
  stage_at integer not null,
  created_at integer not null
) strict;
create index order_stages_by_integration on order_stages (integration_id, id);
create index order_stages_by_order on order_stages (order_id, id);

-- One for each distinct (stage, view, version): the bytes that every attempt sends.
create table payloads (
  id integer primary key,
  view text not null,
  version text not null,
  body blob not null
) strict;

create table webhook_jobs (
  id integer primary key,
  integration_id integer not null,
  webhook_out_sub_id integer not null,
  -- Order and stage are absent for a test.
  order_id integer,
  order_stage_id integer,
  sequence integer,
  payload_id integer not null,
  status text not null,
  event text,
  webhook_id blob not null,
  state text not null,
  -- Whether it waits for, and holds, others by its subscription's ordering; tests and repeated jobs do not.
  ordered integer not null,
  attempts integer not null,
  -- Attempts that the receiver refused itself.
  job_faults integer not null,
  -- The lane's active clock at the first attempt.
  first_attempt_clock integer,
  status_code integer,
  -- Absent for a final one, and for one that is held by an earlier one.
  next_attempt_at integer,
  passed integer not null,
  test integer not null,
  retry_of integer,
  cancel_requested integer not null,
  created_at integer not null,
  finished_at integer
) strict;
-- Lists.
create index webhook_jobs_by_integration on webhook_jobs (integration_id, id);
create index webhook_jobs_by_subscriber on webhook_jobs (webhook_out_sub_id, id);
create index webhook_jobs_by_order on webhook_jobs (order_id, id) where order_id is not null;
create index webhook_jobs_by_status on webhook_jobs (integration_id, status, id);
create index webhook_jobs_by_event on webhook_jobs (integration_id, event, id) where event is not null;
create index webhook_jobs_by_state on webhook_jobs (integration_id, state, id) where state <> 'delivered';
create index webhook_jobs_by_status_code on webhook_jobs (integration_id, status_code, id)
  where status_code <> 200;
-- Delivery. A healthy lane has few rows in these.
create index webhook_jobs_waiting on webhook_jobs (webhook_out_sub_id, id) where finished_at is null;
create index webhook_jobs_waiting_of_order on webhook_jobs (webhook_out_sub_id, order_id, id)
  where finished_at is null;
create index webhook_jobs_due on webhook_jobs (webhook_out_sub_id, next_attempt_at, id)
  where next_attempt_at is not null;

create table webhook_attempts (
  webhook_job_id integer not null,
  number integer not null,
  started_at integer not null,
  callback_url text not null,
  outcome text not null,
  status_code integer,
  fault text,
  message text,
  address text,
  timing text not null,
  answer_headers text not null,
  answer_body text,
  answer_body_truncated integer not null,
  primary key (webhook_job_id, number)
) strict, without rowid;

create table idempotency_keys (
  -- 0 where the record belongs to no integration.
  integration_id integer not null,
  key text not null,
  request_hash blob not null,
  -- Sealed with the secret key: an answer may hold a signing secret.
  answer blob not null,
  created_at integer not null,
  primary key (integration_id, key)
) strict, without rowid;
create index idempotency_keys_by_age on idempotency_keys (created_at);

create table audit_events (
  id integer primary key,
  integration_id integer,
  actor text not null,
  request_id text,
  noun text not null,
  record_id integer not null,
  action text not null,
  -- The record before and after, secrets left out.
  before text,
  after text,
  created_at integer not null
) strict;
create index audit_events_by_record on audit_events (noun, record_id, id);
