-- How a subscription wants to be delivered to.

alter table webhook_out_subs add column supersede integer not null default 0;
-- As they are shown: secret values are masked.
alter table webhook_out_subs add column headers text not null default '[]';
-- As they are sent; sealed with the secret key, and absent where there are none.
alter table webhook_out_subs add column sealed_headers blob;
alter table webhook_out_subs add column retry_policy text;
alter table webhook_out_subs add column rate_limit text;
