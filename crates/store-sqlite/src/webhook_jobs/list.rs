//! Which jobs a list holds, and over which index they are found.
//!
//! Of all filters of a query the most selective one *drives*: each of its values is a branch along an index
//! that has it before the id. The others are looked at along the way. Each index is named in the statement,
//! so that it is either used or an error; and a partial index needs its condition spelled out.

use domain::webhook_job::JobState;
use rusqlite::Connection;
use serde::Serialize;
use store::JobQuery;

use super::search::Found;
use crate::fault::Fault;
use crate::list_query::time::Timeline;
use crate::list_query::{Branch, Condition, ListPlan};
use crate::{list_items, webhook_out_subs};

// primary key
pub(crate) const FIRST_FROM: &str =
    "select id, created_at from webhook_jobs where id >= ?1 order by id limit 1";
// primary key
pub(crate) const LAST: &str = "select max(id) from webhook_jobs";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[FIRST_FROM, LAST];

const TIMELINE: Timeline = Timeline {
    first_from: FIRST_FROM,
    last: LAST,
};

/// An index to walk along, and the condition that it answers. The integration is a condition of every list,
/// and need not be repeated.
type Walk = (&'static str, &'static str);

const BY_ID: Walk = ("webhook_jobs not indexed", "id = ?");
const BY_INTEGRATION: Walk = (
    "webhook_jobs indexed by webhook_jobs_by_integration",
    "true",
);
const BY_ORDER: Walk = (
    "webhook_jobs indexed by webhook_jobs_by_order",
    "order_id = ? and order_id is not null",
);
const BY_SUBSCRIBER: Walk = (
    "webhook_jobs indexed by webhook_jobs_by_subscriber",
    "webhook_out_sub_id = ?",
);
const BY_STATE: Walk = (
    "webhook_jobs indexed by webhook_jobs_by_state",
    "state = ? and state not in ('delivered', 'pending')",
);
const WAITING: Walk = (
    "webhook_jobs indexed by webhook_jobs_waiting",
    "webhook_out_sub_id = ? and finished_at is null and state = 'pending'",
);
/// That a subscription has jobs which wait.
const HAS_WAITING: &str = "exists (select 1 from webhook_jobs indexed by webhook_jobs_waiting \
     where webhook_out_sub_id = webhook_out_subs.id and finished_at is null)";
const BY_STATUS_CODE: Walk = (
    "webhook_jobs indexed by webhook_jobs_by_status_code",
    "status_code = ? and status_code <> 200",
);
const BY_EVENT: Walk = (
    "webhook_jobs indexed by webhook_jobs_by_event",
    "event = ? and event is not null",
);
const BY_STATUS: Walk = (
    "webhook_jobs indexed by webhook_jobs_by_status",
    "status = ?",
);

/// The status code that most jobs end with; the index leaves it out.
const USUAL_STATUS_CODE: u16 = 200;

/// One filter of a query.
struct Filter {
    /// What it asks of a job.
    condition: Condition,
    /// How an index answers it; none where no index does. An empty list means that no job can match.
    branches: Option<Vec<Branch>>,
}

/// How the jobs of a query are found.
pub(crate) fn plan(connection: &Connection, query: &JobQuery) -> Result<ListPlan, Fault> {
    let mut filters = filters(connection, query)?;
    let is_hopeless = filters
        .iter()
        .any(|filter| filter.branches.as_ref().is_some_and(Vec::is_empty));
    let driving = filters.iter().position(|filter| filter.branches.is_some());
    let branches = match driving {
        _ if is_hopeless => Vec::new(),
        Some(driving) => filters.remove(driving).branches.unwrap_or_default(),
        None => vec![Branch::new(
            BY_INTEGRATION.0,
            Condition::new(BY_INTEGRATION.1, []),
        )],
    };
    let integration = [query.integration_id.0.into()];
    let mut conditions = vec![Condition::new("integration_id = ?", integration)];
    conditions.extend(filters.into_iter().map(|filter| filter.condition));
    ListPlan::new(branches, conditions).created(
        connection,
        TIMELINE,
        query.filter.created_from,
        query.filter.created_until,
    )
}

/// The filters that the query has, the most selective one first.
fn filters(connection: &Connection, query: &JobQuery) -> Result<Vec<Filter>, Fault> {
    let mut filters = Vec::new();
    if !query.filter.order_ids.is_empty() {
        let ids: Vec<i64> = query.filter.order_ids.iter().map(|id| id.0).collect();
        filters.push(Filter::among("order_id", BY_ORDER, &ids)?);
    }
    let search = query.list.search.as_ref();
    let found = search
        .map(|search| Found::find(connection, query, search))
        .transpose()?;
    let (orders, others) = match found {
        Some(found) if found.is_orders_only() => (Some(found), None),
        found => (None, found),
    };
    filters.extend(orders.map(|found| Filter::found(&found)).transpose()?);
    let subscribers = subscribers(connection, query)?;
    let states = match query.filter.states.is_empty() {
        true => None,
        false => Some(Filter::states(connection, query)?),
    };
    if query.filter.wants_rare_states() {
        filters.extend(states.into_iter().chain(subscribers));
    } else {
        filters.extend(subscribers.into_iter().chain(states));
    }
    if !query.filter.status_codes.is_empty() {
        filters.push(Filter::status_codes(&query.filter.status_codes)?);
    }
    if !query.filter.event_types.is_empty() {
        let events = list_items::events_of_types(connection, &query.filter.event_types)?;
        filters.push(Filter::among("event", BY_EVENT, &events)?);
    }
    if !query.filter.statuses.is_empty() {
        filters.push(Filter::among("status", BY_STATUS, &query.filter.statuses)?);
    }
    filters.extend(others.map(|found| Filter::found(&found)).transpose()?);
    Ok(filters)
}

/// The subscriptions that have jobs which wait.
fn waiting_subs(connection: &Connection, query: &JobQuery) -> Result<Vec<i64>, Fault> {
    let have = vec![Condition::new(HAS_WAITING, [])];
    webhook_out_subs::ids(connection, query.integration_id, have)
}

/// Subscriptions by id or key, and by callback URL; deleted ones too, since their jobs remain.
fn subscribers(connection: &Connection, query: &JobQuery) -> Result<Option<Filter>, Fault> {
    let mut conditions = Vec::new();
    if !query.filter.subscriber_ids.is_empty() || !query.filter.subscriber_keys.is_empty() {
        conditions.push(Condition::any(vec![
            Condition::among("id", &query.filter.subscriber_ids)?,
            Condition::among("key", &query.filter.subscriber_keys)?,
        ]));
    }
    if !query.filter.endpoints.is_empty() {
        conditions.push(Condition::among("callback_url", &query.filter.endpoints)?);
    }
    if conditions.is_empty() {
        return Ok(None);
    }
    let ids = webhook_out_subs::ids(connection, query.integration_id, conditions)?;
    Filter::among("webhook_out_sub_id", BY_SUBSCRIBER, &ids).map(Some)
}

impl Filter {
    /// That the column has one of the values, each of which is a walk.
    fn among<T>(column: &'static str, walk: Walk, values: &[T]) -> Result<Filter, Fault>
    where
        T: Serialize + Clone + Into<rusqlite::types::Value>,
    {
        Ok(Filter {
            condition: Condition::among(column, values)?,
            branches: Some(Branch::each(walk.0, walk.1, values.iter().cloned())),
        })
    }

    /// Delivered jobs are most of all, and no index has them; pending ones are among what waits of each subscription; jobs
    /// that are in flight are known by id.
    fn states(connection: &Connection, query: &JobQuery) -> Result<Filter, Fault> {
        let states: Vec<&str> = query
            .filter
            .states
            .iter()
            .map(|state| state.name())
            .collect();
        let in_flight: Vec<i64> = query.delivering.iter().map(|id| id.0).collect();
        let asks = |state| query.filter.states.contains(&state);
        let subs = match asks(JobState::Pending) {
            true => waiting_subs(connection, query)?,
            false => Vec::new(),
        };
        Ok(Filter {
            condition: Condition::any(vec![
                Condition::among("state", &states)?,
                Condition::among("id", &in_flight)?,
            ]),
            branches: (!asks(JobState::Delivered)).then(|| {
                let elsewhere = [JobState::Delivering.name(), JobState::Pending.name()];
                let stored = states
                    .into_iter()
                    .filter(|state| !elsewhere.contains(state));
                let stored = stored.map(str::to_owned);
                let mut branches = Branch::each(BY_STATE.0, BY_STATE.1, stored);
                branches.extend(Branch::each(WAITING.0, WAITING.1, subs));
                branches.extend(Branch::each(BY_ID.0, BY_ID.1, in_flight));
                branches
            }),
        })
    }

    fn status_codes(codes: &[u16]) -> Result<Filter, Fault> {
        let mut filter = Filter::among("status_code", BY_STATUS_CODE, codes)?;
        if codes.contains(&USUAL_STATUS_CODE) {
            filter.branches = None;
        }
        Ok(filter)
    }

    fn found(found: &Found) -> Result<Filter, Fault> {
        let mut branches = Vec::new();
        branches.extend(Branch::each(
            BY_ORDER.0,
            BY_ORDER.1,
            found.order_ids.clone(),
        ));
        branches.extend(Branch::each(
            BY_SUBSCRIBER.0,
            BY_SUBSCRIBER.1,
            found.sub_ids.clone(),
        ));
        branches.extend(Branch::each(BY_EVENT.0, BY_EVENT.1, found.events.clone()));
        branches.extend(Branch::each(
            BY_STATUS.0,
            BY_STATUS.1,
            found.statuses.clone(),
        ));
        Ok(Filter {
            condition: found.condition()?,
            branches: Some(branches),
        })
    }
}
