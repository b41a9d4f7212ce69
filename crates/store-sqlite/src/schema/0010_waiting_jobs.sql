-- Every job is pending at first, most for some milliseconds: those are found among what waits of each subscription, and their
-- entries in the index of states, made and removed with each job, are saved.
drop index webhook_jobs_by_state;
create index webhook_jobs_by_state on webhook_jobs (integration_id, state, id) where state not in ('delivered', 'pending');
