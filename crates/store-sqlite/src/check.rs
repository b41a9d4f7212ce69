//! Whether what a record says about others holds: asked in advance for requests that are refused anyway,
//! and by each transaction for its own.

use domain::id::IntegrationId;
use rusqlite::{Connection, Params, params};
use store::{List, OrderRef, Reference, Refusal, Target};

use crate::fault::Fault;
use crate::list_query::one;
use crate::payload_render_views;

// primary key
pub(crate) const INTEGRATION: &str = "select id from integrations where id = ?1";
// unique (key)
pub(crate) const INTEGRATION_OF_KEY: &str = "select id from integrations where key = ?1";
// unique (key, slug)
pub(crate) const WORD: &str = "select active from list_items where key = ?1 and slug = ?2";
// primary key
pub(crate) const ORDER: &str = "select id from orders where id = ?1 and integration_id = ?2";
// orders_by_external_order_id
pub(crate) const ORDER_OF_EXTERNAL_ID: &str =
    "select id from orders where external_order_id = ?1 and integration_id = ?2";
// primary key
pub(crate) const SUBSCRIPTION: &str =
    "select id from webhook_out_subs where id = ?1 and integration_id = ?2 and deleted_at is null";
// webhook_out_subs_by_key
pub(crate) const SUBSCRIPTION_OF_KEY: &str =
    "select id from webhook_out_subs where integration_id = ?1 and key = ?2 and deleted_at is null";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    INTEGRATION,
    INTEGRATION_OF_KEY,
    WORD,
    ORDER,
    ORDER_OF_EXTERNAL_ID,
    SUBSCRIPTION,
    SUBSCRIPTION_OF_KEY,
];

/// Which references do not hold, in their order.
pub(crate) fn check(
    connection: &Connection,
    references: &[Reference],
) -> Result<Vec<Refusal>, Fault> {
    let mut refusals = Vec::new();
    for reference in references {
        if let Some(message) = fault_of(connection, &reference.target)? {
            refusals.push(Refusal::new(reference.attr.as_str(), message));
        }
    }
    Ok(refusals)
}

/// Refuses everything that is wrong, together.
pub(crate) fn refuse(refusals: Vec<Refusal>) -> Result<(), Fault> {
    if refusals.is_empty() {
        Ok(())
    } else {
        Err(Fault::Refused(refusals))
    }
}

/// What is said of a slug that its list does not have, or that is switched off.
pub(crate) fn unknown_word(list: List) -> String {
    format!(
        "does not exist; see the list {} at list_items/index",
        list.name()
    )
}

/// What is said of an order, or a subscription, that is not there or is somebody else's.
pub(crate) const NOT_IN_INTEGRATION: &str = "does not exist in this integration";

fn fault_of(connection: &Connection, target: &Target) -> Result<Option<String>, Fault> {
    let find = |sql, params: [i64; 2]| id(connection, sql, params);
    let fault = match target {
        Target::Integration(integration) => {
            let found = id(connection, INTEGRATION, [integration.0])?;
            found.is_none().then_some("does not exist")
        }
        Target::ListItem { list, slug } => {
            return Ok((!has_word(connection, *list, slug)?).then(|| unknown_word(*list)));
        }
        Target::Order {
            integration_id,
            order,
        } => {
            let found = match order {
                OrderRef::Id(order) => find(ORDER, [order.0, integration_id.0])?,
                OrderRef::External(external) => order_of(connection, *integration_id, external)?,
            };
            found.is_none().then_some(NOT_IN_INTEGRATION)
        }
        Target::FreeExternalOrderId {
            integration_id,
            external_order_id,
        } => {
            let taken = order_of(connection, *integration_id, external_order_id)?;
            taken.map(|_| "is taken by another order of this integration")
        }
        Target::FreeIntegrationKey { key, except } => {
            let taken = id(connection, INTEGRATION_OF_KEY, [key])?;
            let taken = taken.filter(|id| except.is_none_or(|except| except.0 != *id));
            taken.map(|_| "is taken by another integration")
        }
        Target::FreeSubscriptionKey {
            integration_id,
            key,
            except,
        } => {
            let taken = id(
                connection,
                SUBSCRIPTION_OF_KEY,
                params![integration_id.0, key],
            )?;
            let taken = taken.filter(|id| except.is_none_or(|except| except.0 != *id));
            taken.map(|_| "is taken by another subscription of this integration")
        }
        Target::View {
            integration_id,
            name,
        } => payload_render_views::fault_of(connection, *integration_id, name)?,
        Target::FreeViewKey {
            integration_id,
            key,
            except,
        } => {
            let taken = payload_render_views::id_of_key(connection, *integration_id, key)?;
            let taken = taken.filter(|id| except.is_none_or(|except| except.0 != *id));
            taken.map(|_| "is taken by another view")
        }
        Target::Subscription { integration_id, id } => {
            let found = find(SUBSCRIPTION, [id.0, integration_id.0])?;
            found.is_none().then_some(NOT_IN_INTEGRATION)
        }
    };
    Ok(fault.map(str::to_owned))
}

fn id(connection: &Connection, sql: &str, params: impl Params) -> Result<Option<i64>, Fault> {
    one(connection, sql, params, |row| Ok(row.get(0)?))
}

fn order_of(
    connection: &Connection,
    integration: IntegrationId,
    external: &str,
) -> Result<Option<i64>, Fault> {
    id(
        connection,
        ORDER_OF_EXTERNAL_ID,
        params![external, integration.0],
    )
}

/// Whether a vocabulary has this word, and it can be used.
fn has_word(connection: &Connection, list: List, slug: &str) -> Result<bool, Fault> {
    let active = one(connection, WORD, [list.name(), slug], |row| Ok(row.get(0)?))?;
    Ok(active.unwrap_or(false))
}
