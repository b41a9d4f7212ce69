//! What a query asks for, decided by looking at one job.

use domain::vocabulary::event_type;
use domain::webhook_job::WebhookJob;
use store::{JobQuery, Search};

/// Whether the query asks for the job.
pub(super) fn is_wanted(query: &JobQuery, job: &WebhookJob) -> bool {
    let holds =
        |list: &[String], value: &str| list.is_empty() || list.iter().any(|one| one == value);
    let is_subscriber = (query.filter.subscriber_ids.is_empty()
        && query.filter.subscriber_keys.is_empty())
        || query
            .filter
            .subscriber_ids
            .contains(&job.webhook_out_sub_id)
        || query
            .filter
            .subscriber_keys
            .contains(&job.webhook_subscriber);
    let is_state = query.filter.states.is_empty()
        || query.filter.states.contains(&job.state)
        || query.delivering.contains(&job.id);
    let is_order = query.filter.order_ids.is_empty()
        || job
            .order_id
            .is_some_and(|id| query.filter.order_ids.contains(&id));
    let is_event = query.filter.event_types.is_empty()
        || job.event.as_deref().is_some_and(|event| {
            query
                .filter
                .event_types
                .iter()
                .any(|kind| kind == event_type(event))
        });
    let is_code = query.filter.status_codes.is_empty()
        || job
            .status_code
            .is_some_and(|code| query.filter.status_codes.contains(&code));
    job.integration_id == query.integration_id
        && is_subscriber
        && is_state
        && is_order
        && is_event
        && is_code
        && holds(&query.filter.endpoints, &job.callback_url)
        && holds(
            &query.filter.statuses,
            job.status.as_deref().unwrap_or_default(),
        )
        && query
            .filter
            .created_from
            .is_none_or(|from| job.created_at >= from)
        && query
            .filter
            .created_until
            .is_none_or(|until| job.created_at < until)
        && query
            .list
            .search
            .as_ref()
            .is_none_or(|search| is_found(search, job))
}

fn is_found(search: &Search, job: &WebhookJob) -> bool {
    let begins = |text: &str| text.starts_with(&search.term);
    let may_begin = |text: &Option<String>| text.as_deref().is_some_and(begins);
    search.attributes.iter().any(|attribute| match *attribute {
        "status" => begins(job.status.as_deref().unwrap_or_default()),
        "address" => may_begin(&job.address),
        "event" => may_begin(&job.event),
        "order_id" => {
            let is_id = job.order_id.is_some_and(|id| id.to_string() == search.term);
            is_id || may_begin(&job.external_order_id)
        }
        "webhook_subscriber" => {
            begins(&job.webhook_subscriber)
                || begins(&format!("Name of {}", job.webhook_subscriber))
        }
        _ => begins(&job.callback_url),
    })
}
