//! Which orders a list holds.

use rusqlite::Connection;
use store::{List, OrderQuery, Search};

use super::search::{BY_ID, ids_of_address, ids_of_external_id, ids_of_external_ids};
use crate::fault::Fault;
use crate::list_items::slugs_with_prefix;
use crate::list_query::time::Timeline;
use crate::list_query::{Branch, Condition, ListPlan};

const BY_INTEGRATION: &str = "orders indexed by orders_by_integration";

// primary key
pub(crate) const FIRST_FROM: &str =
    "select id, created_at from orders where id >= ?1 order by id limit 1";
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
pub(crate) fn plan(connection: &Connection, query: &OrderQuery) -> Result<ListPlan, Fault> {
    let integration = query.integration_id;
    let mut conditions = vec![Condition::new("integration_id = ?", [integration.0.into()])];
    if !query.statuses.is_empty() {
        conditions.push(Condition::among("status", &query.statuses)?);
    }
    let mut branches = vec![everything()];
    if !query.external_order_ids.is_empty() {
        let ids = ids_of_external_ids(connection, integration, &query.external_order_ids)?;
        branches = Branch::each(BY_ID, "id = ?", ids);
    }
    if let Some(search) = &query.list.search {
        let found = Found::find(connection, query, search)?;
        if query.external_order_ids.is_empty() {
            branches = found.branches()?;
        } else {
            conditions.push(found.condition()?);
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
}

fn everything() -> Branch {
    Branch::new(BY_INTEGRATION, Condition::new("true", []))
}

/// What a search comes to.
struct Found {
    ids: Vec<i64>,
    statuses: Vec<String>,
}

impl Found {
    fn find(connection: &Connection, query: &OrderQuery, search: &Search) -> Result<Found, Fault> {
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
                        .extend(ids_of_external_id(connection, integration, term)?);
                }
                "address" => found
                    .ids
                    .extend(ids_of_address(connection, integration, term)?),
                _ => found.statuses = slugs_with_prefix(connection, List::OrderStatus, term)?,
            }
        }
        Ok(found)
    }

    fn branches(&self) -> Result<Vec<Branch>, Fault> {
        let mut branches = Branch::each(BY_ID, "id = ?", self.ids.iter().copied());
        if !self.statuses.is_empty() {
            let statuses = Condition::among("status", &self.statuses)?;
            branches.push(Branch::new(BY_INTEGRATION, statuses));
        }
        Ok(branches)
    }

    fn condition(&self) -> Result<Condition, Fault> {
        Ok(Condition::any(vec![
            Condition::among("id", &self.ids)?,
            Condition::among("status", &self.statuses)?,
        ]))
    }
}
