//! Which jobs a list holds, and over which index they are found.
//!
//! Jobs that wait and jobs that are final stand in two tables, so that each way to find some is two branches. Of all filters of a query the
//! most selective one *drives*: each of its values is a branch along an index that has it before the id. The others are looked at along
//! the way. Jobs that wait are few, and have fewer indexes.

use domain::webhook_job::JobState;
use store::JobQuery;

use super::search::Found;
use crate::connection::Connection;
use crate::fault::Fault;
use crate::list_query::time::Timeline;
use crate::list_query::{Branch, Condition, ListPlan, Value};
use crate::{list_items, webhook_out_subs};

// primary keys
pub(crate) const FIRST_FROM: &str =
    "select id, created_at from webhook_jobs where id >= $1 order by id limit 1";
// primary keys
pub(crate) const LAST: &str = "select max(id) from webhook_jobs";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[FIRST_FROM, LAST];

const TIMELINE: Timeline = Timeline {
    first_from: FIRST_FROM,
    last: LAST,
};

/// Along webhook_jobs_waiting_by_integration, or by order or subscriber.
const WAITING: &str = "webhook_jobs_waiting";
/// Along webhook_jobs_final_by_integration, or the index that has the driving column.
const FINAL: &str = "webhook_jobs_final";

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
pub(crate) async fn plan(connection: &Connection, query: &JobQuery) -> Result<ListPlan, Fault> {
    let mut filters = filters(connection, query).await?;
    let is_hopeless = filters
        .iter()
        .any(|filter| filter.branches.as_ref().is_some_and(Vec::is_empty));
    let driving = filters.iter().position(|filter| filter.branches.is_some());
    let branches = match driving {
        _ if is_hopeless => Vec::new(),
        Some(driving) => filters.remove(driving).branches.unwrap_or_default(),
        None => both("true", Vec::new()),
    };
    let integration = [query.integration_id.0.into()];
    let mut conditions = vec![Condition::new("integration_id = ?", integration)];
    conditions.extend(filters.into_iter().map(|filter| filter.condition));
    ListPlan::new(branches, conditions)
        .created(
            connection,
            TIMELINE,
            query.filter.created_from,
            query.filter.created_until,
        )
        .await
}

/// In both tables.
fn both(condition: &'static str, values: Vec<Value>) -> Vec<Branch> {
    [WAITING, FINAL]
        .map(|table| Branch::new(table, Condition::new(condition, values.clone())))
        .into()
}

/// In both tables, once for each value.
fn each<T: Into<Value>>(
    condition: &'static str,
    values: impl IntoIterator<Item = T>,
) -> Vec<Branch> {
    let branches = values
        .into_iter()
        .map(|value| both(condition, vec![value.into()]));
    branches.flatten().collect()
}

/// The filters that the query has, the most selective one first.
async fn filters(connection: &Connection, query: &JobQuery) -> Result<Vec<Filter>, Fault> {
    let mut filters = Vec::new();
    if !query.filter.order_ids.is_empty() {
        let ids: Vec<i64> = query.filter.order_ids.iter().map(|id| id.0).collect();
        filters.push(Filter::orders(ids));
    }
    let found = match &query.list.search {
        Some(search) => Some(Found::find(connection, query, search).await?),
        None => None,
    };
    let (orders, others) = match found {
        Some(found) if found.is_orders_only() => (Some(found), None),
        found => (None, found),
    };
    filters.extend(orders.map(|found| Filter::found(&found)));
    let subscribers = subscribers(connection, query).await?;
    let states = (!query.filter.states.is_empty()).then(|| Filter::states(query));
    if query.filter.wants_rare_states() {
        filters.extend(states.into_iter().chain(subscribers));
    } else {
        filters.extend(subscribers.into_iter().chain(states));
    }
    if !query.filter.status_codes.is_empty() {
        filters.push(Filter::status_codes(&query.filter.status_codes));
    }
    if !query.filter.event_types.is_empty() {
        let types = &query.filter.event_types;
        let events = list_items::events_of_types(connection, types).await?;
        filters.push(Filter::texts("event", EVENT, events));
    }
    if !query.filter.statuses.is_empty() {
        let statuses = query.filter.statuses.clone();
        filters.push(Filter::texts("status", STATUS, statuses));
    }
    filters.extend(others.map(|found| Filter::found(&found)));
    Ok(filters)
}

/// Subscriptions by id or key, and by callback URL; deleted ones too, since their jobs remain.
async fn subscribers(connection: &Connection, query: &JobQuery) -> Result<Option<Filter>, Fault> {
    let filter = &query.filter;
    let mut conditions = Vec::new();
    if !filter.subscriber_ids.is_empty() || !filter.subscriber_keys.is_empty() {
        let ids: Vec<i64> = filter.subscriber_ids.iter().map(|id| id.0).collect();
        conditions.push(Condition::any(vec![
            Condition::among("id", ids),
            Condition::among("key", filter.subscriber_keys.clone()),
        ]));
    }
    if !filter.endpoints.is_empty() {
        conditions.push(Condition::among("callback_url", filter.endpoints.clone()));
    }
    if conditions.is_empty() {
        return Ok(None);
    }
    let ids = webhook_out_subs::ids(connection, query.integration_id, conditions).await?;
    Ok(Some(Filter {
        condition: Condition::among("webhook_out_sub_id", ids.clone()),
        branches: Some(each(SUBSCRIBER, ids)),
    }))
}

// webhook_jobs_final_by_order and the like; what a partial index leaves out is said again.
const ORDER: &str = "order_id = ? and order_id is not null";
const SUBSCRIBER: &str = "webhook_out_sub_id = ?";
const EVENT: &str = "event = ? and event is not null";
const STATUS: &str = "status = ?";

impl Filter {
    fn orders(ids: Vec<i64>) -> Filter {
        Filter {
            condition: Condition::among("order_id", ids.clone()),
            branches: Some(each(ORDER, ids)),
        }
    }

    /// That the column has one of the values, each of which is a walk.
    fn texts(column: &str, walk: &'static str, values: Vec<String>) -> Filter {
        Filter {
            condition: Condition::among(column, values.clone()),
            branches: Some(each(walk, values)),
        }
    }

    /// Delivered jobs are most of all, and no index has them; jobs that are in flight are known by id.
    fn states(query: &JobQuery) -> Filter {
        let states = query.filter.states.iter();
        let states: Vec<String> = states.map(|state| state.name().to_owned()).collect();
        let in_flight: Vec<i64> = query.delivering.iter().map(|id| id.0).collect();
        let condition = Condition::any(vec![
            Condition::among("state", states.clone()),
            Condition::among("id", in_flight.clone()),
        ]);
        let is_narrow = !query.filter.states.contains(&JobState::Delivered);
        let branches = is_narrow.then(|| {
            let mut branches = each("id = ?", in_flight);
            for state in &query.filter.states {
                let value = [state.name().into()];
                branches.push(match state.is_final() {
                    true => Branch::new(FINAL, Condition::new(FINAL_STATE, value)),
                    false => Branch::new(WAITING, Condition::new("state = ?", value)),
                });
            }
            branches
        });
        Filter {
            condition,
            branches,
        }
    }

    fn status_codes(codes: &[u16]) -> Filter {
        let values: Vec<i64> = codes.iter().copied().map(i64::from).collect();
        let is_narrow = !codes.contains(&USUAL_STATUS_CODE);
        Filter {
            condition: Condition::among("status_code", values.clone()),
            branches: is_narrow.then(|| each("status_code = ? and status_code <> 200", values)),
        }
    }

    fn found(found: &Found) -> Filter {
        let mut branches = each(ORDER, found.order_ids.clone());
        branches.extend(each(SUBSCRIBER, found.sub_ids.clone()));
        branches.extend(each(EVENT, found.events.clone()));
        branches.extend(each(STATUS, found.statuses.clone()));
        Filter {
            condition: found.condition(),
            branches: Some(branches),
        }
    }
}

const FINAL_STATE: &str = "state = ? and state <> 'delivered'";
