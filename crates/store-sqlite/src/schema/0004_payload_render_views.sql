-- Payload views of one's own. Never deleted, since subscriptions name them.
create table payload_render_views (
  id integer primary key,
  -- 0 where all integrations may use it.
  integration_id integer not null,
  key text not null,
  name text not null,
  description text,
  -- The number of the newest revision.
  revision integer not null,
  created_at integer not null,
  updated_at integer not null,
  unique (integration_id, key)
) strict;

-- Each template that a view ever had; never changed.
create table payload_render_view_revisions (
  payload_render_view_id integer not null,
  number integer not null,
  template text not null,
  created_at integer not null,
  primary key (payload_render_view_id, number)
) strict, without rowid;

-- Why the subscription's own view could not render the change.
alter table webhook_jobs add column view_failed text;
