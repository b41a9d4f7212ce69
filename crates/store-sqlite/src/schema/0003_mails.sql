-- Mails that wait to be sent, and what was mailed to whom.

-- What mails say, once for all to whom it goes.
create table letters (
  id integer primary key,
  -- Sealed with the secret key: it may hold a payload, and payloads hold people's addresses.
  about blob not null
) strict;

-- A row is gone once its mail is sent or given up.
create table mails (
  id integer primary key,
  letter_id integer not null,
  address text not null,
  -- The same on every attempt, so that a mail that is sent again can be recognised.
  message_id text not null,
  attempts integer not null,
  next_attempt_at integer not null,
  created_at integer not null
) strict;
create index mails_due on mails (next_attempt_at, id);
create index mails_by_letter on mails (letter_id);

-- What the people of a subscription were told of its troubles.
create table trouble_mails (
  webhook_out_sub_id integer primary key,
  record text not null
) strict;
