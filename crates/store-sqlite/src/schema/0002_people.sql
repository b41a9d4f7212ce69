-- People and their sessions, the API's own records, what the operators must know.

create table users (
  id integer primary key,
  email text not null,
  name text,
  -- argon2id, in the PHC string format; absent for people who sign in by links only.
  password_hash text,
  remember_me integer not null,
  created_at integer not null,
  updated_at integer not null
) strict;
-- Two spellings of an address are one person.
create unique index users_by_email on users (lower(email));

-- The records that give a user a role.
create table clients (
  id integer primary key,
  user_id integer not null unique,
  created_at integer not null
) strict;
create table employees (
  id integer primary key,
  user_id integer not null unique,
  created_at integer not null
) strict;
create table liaisons (
  id integer primary key,
  user_id integer not null unique,
  created_at integer not null
) strict;

create table scoped_integrations (
  user_id integer not null,
  integration_id integer not null,
  primary key (user_id, integration_id)
) strict, without rowid;

create table sessions (
  id integer primary key,
  user_id integer not null,
  token_hash blob not null unique,
  created_at integer not null,
  -- At most a minute behind.
  last_used_at integer not null
) strict;
create index sessions_by_user on sessions (user_id, id);

-- Links that sign somebody in once; an invitation also lets them into an integration.
create table sign_in_links (
  token_hash blob primary key,
  email text not null,
  integration_id integer,
  created_at integer not null,
  expires_at integer not null
) strict, without rowid;
create index sign_in_links_by_expiry on sign_in_links (expires_at);

alter table applications add column active integer not null default 1;
-- Good until the overlap of a rotation is over.
alter table applications add column previous_token_hash blob;
alter table applications add column previous_token_until integer;
create unique index applications_by_previous_token on applications (previous_token_hash)
  where previous_token_hash is not null;

-- The API's own records: one that is not deployed answers nobody.
create table services (
  id integer primary key,
  key text not null unique,
  deployed integer not null,
  created_at integer not null,
  updated_at integer not null
) strict;
create table routes (
  id integer primary key,
  service text not null,
  action text not null,
  method text not null,
  deployed integer not null,
  created_at integer not null,
  updated_at integer not null,
  unique (service, action)
) strict;

create table notifications (
  id integer primary key,
  kind text not null,
  -- What it is about: while it is unread, the same again only counts.
  about text not null,
  integration_id integer,
  webhook_out_sub_id integer,
  message text not null,
  -- Of the last time.
  request_id text,
  times integer not null,
  created_at integer not null,
  updated_at integer not null,
  read_at integer
) strict;
create unique index notifications_unread on notifications (kind, about) where read_at is null;

create index audit_events_by_integration on audit_events (integration_id, id);
