//! Which orders a list holds.

use store::{List, OrderQuery, Search};

use super::search::{ids_of_address, ids_of_external_id, ids_of_external_ids};
use crate::connection::Connection;
use crate::fault::Fault;
use crate::list_items::slugs_with_prefix;
use crate::list_query::time::Timeline;
use crate::list_query::{Branch, Condition, ListPlan};

/// Along orders_by_integration, or by the primary key.
const ORDERS: &str = "orders";

// primary key
pub(crate) const FIRST_FROM: &str =
    "select id, created_at from orders where id >= $1 order by id limit 1";
// primary key
pub(crate) const LAST: &str = "select max(id) from orders";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[FIRST_FROM, LAST];

const TIMELINE: Timeline = Timeline {
    first_from: FIRST_FROM,
    last: LAST,
};
/// What is sorted anew each time: no index has it, so that on a large integration it is slow. By
/// `created_at` is by id, since they agree.
const SORTED_BY: &[&str] = &["updated_at"];

/// Ids of the order system lead straight to their orders; statuses are looked at along the way through the
/// integration's orders.
pub(super) async fn plan(connection: &Connection, query: &OrderQuery) -> Result<ListPlan, Fault> {
    let integration = query.integration_id;
    let mut conditions = vec![Condition::new("integration_id = ?", [integration.0.into()])];
    if !query.statuses.is_empty() {
        conditions.push(Condition::among("status", query.statuses.clone()));
    }
    let mut branches = vec![everything()];
    if !query.external_order_ids.is_empty() {
        let ids = ids_of_external_ids(connection, integration, &query.external_order_ids).await?;
        branches = vec![Branch::new(ORDERS, Condition::among("id", ids))];
    }
    if let Some(search) = &query.list.search {
        let found = Found::find(connection, query, search).await?;
        if query.external_order_ids.is_empty() {
            branches = found.branches();
        } else {
            conditions.push(found.condition());
        }
    }
    ListPlan::new(branches, conditions)
        .sorted(query.list.sort, SORTED_BY)
        .created(
            connection,
            TIMELINE,
            query.created_from,
            query.created_until,
        )
        .await
}

fn everything() -> Branch {
    Branch::new(ORDERS, Condition::new("true", []))
}

/// What a search comes to.
struct Found {
    ids: Vec<i64>,
    statuses: Vec<String>,
}

impl Found {
    async fn find(
        connection: &Connection,
        query: &OrderQuery,
        search: &Search,
    ) -> Result<Found, Fault> {
        let (integration, term) = (query.integration_id, search.term.as_str());
        let mut found = Found {
            ids: Vec::new(),
            statuses: Vec::new(),
        };
        for attribute in &search.attributes {
            match *attribute {
                "external_order_id" => {
                    found
                        .ids
                        .extend(ids_of_external_id(connection, integration, term).await?);
                }
                "address" => found
                    .ids
                    .extend(ids_of_address(connection, integration, term).await?),
                _ => {
                    found.statuses = slugs_with_prefix(connection, List::OrderStatus, term).await?
                }
            }
        }
        Ok(found)
    }

    fn branches(&self) -> Vec<Branch> {
        let mut branches = vec![Branch::new(
            ORDERS,
            Condition::among("id", self.ids.clone()),
        )];
        if !self.statuses.is_empty() {
            let statuses = Condition::among("status", self.statuses.clone());
            branches.push(Branch::new(ORDERS, statuses));
        }
        branches
    }

    fn condition(&self) -> Condition {
        Condition::any(vec![
            Condition::among("id", self.ids.clone()),
            Condition::among("status", self.statuses.clone()),
        ])
    }
}
