//! What a search among jobs comes to: the words, orders and subscriptions that the term means.

use store::{JobQuery, List, Search};

use crate::connection::Connection;
use crate::fault::Fault;
use crate::list_items::slugs_with_prefix;
use crate::list_query::Condition;
use crate::{orders, webhook_out_subs};

/// What the term means.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) statuses: Vec<String>,
    pub(super) events: Vec<String>,
    pub(super) order_ids: Vec<i64>,
    pub(super) sub_ids: Vec<i64>,
}

impl Found {
    pub(super) async fn find(
        connection: &Connection,
        query: &JobQuery,
        search: &Search,
    ) -> Result<Found, Fault> {
        let (integration, term) = (query.integration_id, search.term.as_str());
        let subscriptions = |columns: &[&str]| {
            let begins = columns.iter().map(|column| Condition::begins(column, term));
            let begins = vec![Condition::any(begins.collect())];
            webhook_out_subs::ids(connection, integration, begins)
        };
        let mut found = Found::default();
        for attribute in &search.attributes {
            match *attribute {
                "status" => {
                    found.statuses = slugs_with_prefix(connection, List::OrderStatus, term).await?;
                }
                "event" => {
                    found.events = slugs_with_prefix(connection, List::OrderEvent, term).await?
                }
                "order_id" => {
                    found.order_ids.extend(term.parse::<i64>().ok());
                    let ids = orders::ids_of_external_id(connection, integration, term);
                    found.order_ids.extend(ids.await?);
                }
                "address" => {
                    let ids = orders::ids_of_address(connection, integration, term);
                    found.order_ids.extend(ids.await?);
                }
                "webhook_subscriber" => {
                    found.sub_ids.extend(subscriptions(&["key", "name"]).await?)
                }
                "callback_url" => found
                    .sub_ids
                    .extend(subscriptions(&["callback_url"]).await?),
                other => return Err(unknown(other)),
            }
        }
        Ok(found)
    }

    /// Whether the term means orders only, of which each has few jobs.
    pub(super) fn is_orders_only(&self) -> bool {
        self.statuses.is_empty() && self.events.is_empty() && self.sub_ids.is_empty()
    }

    /// That a job is one of those that the term means.
    pub(super) fn condition(&self) -> Condition {
        Condition::any(vec![
            Condition::among("status", self.statuses.clone()),
            Condition::among("event", self.events.clone()),
            Condition::among("order_id", self.order_ids.clone()),
            Condition::among("webhook_out_sub_id", self.sub_ids.clone()),
        ])
    }
}

fn unknown(attribute: &str) -> Fault {
    Fault::refused("search.attributes", format!("{attribute} is not searched"))
}
