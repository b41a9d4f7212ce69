-- Why a change made the jobs that it made.

alter table webhook_out_subs add column filter text;
-- Whether the jobs that it missed are still being made; until they are, new changes make none for it themselves.
alter table webhook_out_subs add column catching_up integer not null default 0;

-- How many times the subscriptions of an integration have changed as to what they want.
alter table integrations add column matching_revision integer not null default 0;

-- What a subscription wanted, from a revision of its integration on. With the revision that a stage was matched under, this says
-- what it met, at no cost for the stage.
create table webhook_out_sub_revisions (
  integration_id integer not null,
  webhook_out_sub_id integer not null,
  revision integer not null,
  standing text not null,
  statuses text not null,
  events text not null,
  filter text,
  ordering text not null,
  created_at integer not null,
  primary key (integration_id, webhook_out_sub_id, revision)
) strict, without rowid;
insert into webhook_out_sub_revisions (integration_id, webhook_out_sub_id, revision, standing, statuses, events, ordering, created_at)
  select integration_id, s.id, 0,
    case when deleted_at is not null then 'deleted'
      when active = 1 then 'active'
      when json_extract(l.record, '$.reason') is not null then 'off_' || json_extract(l.record, '$.reason')
      else 'inactive' end,
    statuses, events, ordering, s.updated_at
  from webhook_out_subs s left join lanes l on l.webhook_out_sub_id = s.id;

-- Absent where the stage was accepted before revisions were kept.
alter table order_stages add column matching_revision integer;
-- Where filters had a say: {"<webhook_out_sub_id>": null where it did not hold, or why it could not be decided}.
alter table order_stages add column filter_results text;
