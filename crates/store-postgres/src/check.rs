//! Whether what a record says about others holds: asked in advance for requests that are refused anyway,
//! and by each transaction for its own.

use domain::id::IntegrationId;
use futures_util::future::try_join_all;
use store::{List, OrderRef, Reference, Refusal, Target};

use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::one;
use crate::payload_render_views;

// primary key
pub(crate) const INTEGRATION: &str = "select id from integrations where id = $1";
// unique (key)
pub(crate) const INTEGRATION_OF_KEY: &str = "select id from integrations where key = $1";
// unique (key, slug)
pub(crate) const WORD: &str = "select id from list_items where key = $1 and slug = $2 and active";
// primary key
pub(crate) const ORDER: &str = "select id from orders where id = $1 and integration_id = $2";
// orders_by_external_order_id
pub(crate) const ORDER_OF_EXTERNAL_ID: &str =
    "select id from orders where external_order_id = $1 and integration_id = $2";
// primary key
pub(crate) const SUBSCRIPTION: &str =
    "select id from webhook_out_subs where id = $1 and integration_id = $2 and deleted_at is null";
// webhook_out_subs_by_key
pub(crate) const SUBSCRIPTION_OF_KEY: &str =
    "select id from webhook_out_subs where integration_id = $1 and key = $2 and deleted_at is null";

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

/// What is said of an order, or a subscription, that is not there or is somebody else's.
pub(crate) const NOT_IN_INTEGRATION: &str = "does not exist in this integration";

/// Which references do not hold, in their order; all are looked for at once.
pub(crate) async fn check(
    connection: &Connection,
    references: &[Reference],
) -> Result<Vec<Refusal>, Fault> {
    let faults = references
        .iter()
        .map(|reference| fault_of(connection, &reference.target));
    let faults = try_join_all(faults).await?;
    let refused = references
        .iter()
        .zip(faults)
        .filter_map(|(reference, fault)| {
            fault.map(|message| Refusal::new(reference.attr.as_str(), message))
        });
    Ok(refused.collect())
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

async fn fault_of(connection: &Connection, target: &Target) -> Result<Option<String>, Fault> {
    let fault = match target {
        Target::Integration(integration) => {
            let found = id(connection, INTEGRATION, &[&integration.0]).await?;
            found.is_none().then_some("does not exist")
        }
        Target::ListItem { list, slug } => {
            let found = id(connection, WORD, &[&list.name(), slug]).await?;
            return Ok(found.is_none().then(|| unknown_word(*list)));
        }
        Target::Order {
            integration_id,
            order,
        } => {
            let found = order_of(connection, *integration_id, order).await?;
            found.is_none().then_some(NOT_IN_INTEGRATION)
        }
        Target::FreeExternalOrderId {
            integration_id,
            external_order_id,
        } => {
            let params: Params = &[external_order_id, &integration_id.0];
            let taken = id(connection, ORDER_OF_EXTERNAL_ID, params).await?;
            taken.map(|_| "is taken by another order of this integration")
        }
        Target::FreeIntegrationKey { key, except } => {
            let taken = id(connection, INTEGRATION_OF_KEY, &[key]).await?;
            by_another(taken, except.map(|except| except.0))
                .then_some("is taken by another integration")
        }
        Target::FreeSubscriptionKey {
            integration_id,
            key,
            except,
        } => {
            let params: Params = &[&integration_id.0, key];
            let taken = id(connection, SUBSCRIPTION_OF_KEY, params).await?;
            by_another(taken, except.map(|except| except.0))
                .then_some("is taken by another subscription of this integration")
        }
        Target::View {
            integration_id,
            name,
        } => payload_render_views::fault_of(connection, *integration_id, name).await?,
        Target::FreeViewKey {
            integration_id,
            key,
            except,
        } => {
            let taken = payload_render_views::id_of_key(connection, *integration_id, key).await?;
            by_another(taken, except.map(|except| except.0)).then_some("is taken by another view")
        }
        Target::Subscription {
            integration_id,
            id: sub,
        } => {
            let found = id(connection, SUBSCRIPTION, &[&sub.0, &integration_id.0]).await?;
            found.is_none().then_some(NOT_IN_INTEGRATION)
        }
    };
    Ok(fault.map(str::to_owned))
}

/// Whether something is taken by others than the one that may have it.
fn by_another(taken: Option<i64>, except: Option<i64>) -> bool {
    taken.is_some() && taken != except
}

async fn id(connection: &Connection, sql: &str, params: Params<'_>) -> Result<Option<i64>, Fault> {
    one(connection, sql, params, |row| Ok(row.try_get(0)?)).await
}

async fn order_of(
    connection: &Connection,
    integration: IntegrationId,
    order: &OrderRef,
) -> Result<Option<i64>, Fault> {
    match order {
        OrderRef::Id(order) => id(connection, ORDER, &[&order.0, &integration.0]).await,
        OrderRef::External(external) => {
            let params: Params = &[external, &integration.0];
            id(connection, ORDER_OF_EXTERNAL_ID, params).await
        }
    }
}
