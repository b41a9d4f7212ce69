//! Locks that are no rows: who holds one lets others wait until its transaction ends.
//!
//! Each kind has a number of its own above the ids, so that no two kinds meet. Several of one kind are taken in the order of ids, so that
//! nobody waits in a circle.

use domain::id::{IntegrationId, WebhookOutSubId};

use crate::connection::Connection;
use crate::fault::Fault;

/// Where the number of a kind begins; ids stay below.
const KIND_BIT: u32 = 56;
/// What the subscriptions of an integration want: shared by those who make jobs by it, held alone by those who change it.
const SUBSCRIPTIONS: i64 = 1 << KIND_BIT;
/// The sequence of a subscription in which all jobs wait for each other.
const SEQUENCE: i64 = 2 << KIND_BIT;
/// From which id on a transaction may store stages; see [`mark_stages`].
const STAGES: i64 = 3 << KIND_BIT;

// the ids are in order
pub(crate) const SHARE: &str =
    "select pg_advisory_xact_lock_shared(n) from unnest($1::bigint[]) as k (n)";
// the ids are in order
pub(crate) const HOLD: &str = "select pg_advisory_xact_lock(n) from unnest($1::bigint[]) as k (n)";
pub(crate) const MARK_STAGES: &str =
    "select pg_advisory_xact_lock_shared($1::bigint + last_value) from order_stages_id_seq";
pub(crate) const NEXT_STAGE: &str = "select last_value + 1 from order_stages_id_seq";
pub(crate) const FIRST_MARK: &str = "select min((classid::bigint << 32) + objid::bigint - $1::bigint) from pg_locks \
     where locktype = 'advisory' and objsubid = 1 and database = (select oid from pg_database where datname = current_database()) \
     and (classid::bigint << 32) + objid::bigint between $1::bigint and $1::bigint + (1::bigint << 56) - 1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[SHARE, HOLD, MARK_STAGES, NEXT_STAGE, FIRST_MARK];

/// The subscriptions of these integrations stay as they are until this transaction ends.
pub(crate) async fn share_subscriptions(
    connection: &Connection,
    integrations: &[IntegrationId],
) -> Result<(), Fault> {
    let keys = keys(SUBSCRIPTIONS, integrations.iter().map(|id| id.0));
    connection.query(SHARE, &[&keys]).await.map(|_| ())
}

/// Nobody makes jobs by the subscriptions of the integration until this transaction ends.
pub(crate) async fn hold_subscriptions(
    connection: &Connection,
    integration: IntegrationId,
) -> Result<(), Fault> {
    let keys = keys(SUBSCRIPTIONS, [integration.0]);
    connection.query(HOLD, &[&keys]).await.map(|_| ())
}

/// Nobody else adds jobs to the sequences of these subscriptions until this transaction ends.
pub(crate) async fn hold_sequences(
    connection: &Connection,
    subs: impl IntoIterator<Item = WebhookOutSubId>,
) -> Result<(), Fault> {
    let keys = keys(SEQUENCE, subs.into_iter().map(|sub| sub.0));
    if keys.is_empty() {
        return Ok(());
    }
    connection.query(HOLD, &[&keys]).await.map(|_| ())
}

/// Notes, where other nodes see it, that this transaction will store stages with ids from here on. Taken before the ids are.
pub(crate) async fn mark_stages(connection: &Connection) -> Result<(), Fault> {
    connection.query(MARK_STAGES, &[&STAGES]).await.map(|_| ())
}

/// The stages before this id are all that there will ever be; one behind it may still be committed before others that are there.
pub(crate) async fn settled_stages(connection: &Connection) -> Result<i64, Fault> {
    // In this order: whoever takes a mark after the first look takes ids after it too.
    let next = connection.query(NEXT_STAGE, &[]).await?;
    let marks = connection.query(FIRST_MARK, &[&STAGES]).await?;
    let number = |rows: &[tokio_postgres::Row]| -> Result<Option<i64>, Fault> {
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        Ok(row.try_get(0)?)
    };
    let next = number(&next)?.unwrap_or(i64::MAX);
    Ok(number(&marks)?.unwrap_or(i64::MAX).min(next))
}

fn keys(kind: i64, ids: impl IntoIterator<Item = i64>) -> Vec<i64> {
    let mut keys: Vec<i64> = ids.into_iter().map(|id| kind + id).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
