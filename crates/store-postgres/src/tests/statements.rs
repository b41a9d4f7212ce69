//! Every statement fits the schema.

use super::world::tables;
use crate::*;

/// Every statement that is not put together for once.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    let plain = [
        applications::STATEMENTS,
        audit::STATEMENTS,
        audit_events::STATEMENTS,
        check::STATEMENTS,
        clock::STATEMENTS,
        copy::STATEMENTS,
        clock_set::STATEMENTS,
        delivery_statistics::STATEMENTS,
        due::STATEMENTS,
        ending::STATEMENTS,
        examine::STATEMENTS,
        idempotency::STATEMENTS,
        integrations::STATEMENTS,
        known::STATEMENTS,
        list_items::STATEMENTS,
        locks::STATEMENTS,
        mails::STATEMENTS,
        match_trace::STATEMENTS,
        notifications::STATEMENTS,
        open::STATEMENTS,
        order_stages::STATEMENTS,
        partitions::STATEMENTS,
        registry::STATEMENTS,
        release::STATEMENTS,
        supersede::STATEMENTS,
        troubles::STATEMENTS,
    ];
    let nested = [
        accept::STATEMENTS,
        lanes::STATEMENTS,
        orders::STATEMENTS,
        payload_render_views::STATEMENTS,
        record::STATEMENTS,
        recoveries::STATEMENTS,
        retention::STATEMENTS,
        sessions::STATEMENTS,
        users::STATEMENTS,
        verify::STATEMENTS,
        webhook_jobs::STATEMENTS,
        webhook_out_subs::STATEMENTS,
    ];
    plain
        .into_iter()
        .chain(nested.into_iter().flatten().copied())
        .flatten()
        .copied()
}

/// Those of the connections that accept and record.
pub(super) fn written() -> impl Iterator<Item = &'static str> {
    let plain = [
        ending::STATEMENTS,
        idempotency::STATEMENTS,
        known::STATEMENTS,
        release::STATEMENTS,
        supersede::STATEMENTS,
        troubles::STATEMENTS,
    ];
    let nested = [accept::STATEMENTS, record::STATEMENTS].into_iter();
    let nested = nested.flatten().copied();
    plain.into_iter().chain(nested).flatten().copied()
}

#[tokio::test]
async fn every_statement_fits_the_schema() {
    let tables = tables().await;
    let connection = tables.store.connection().await.expect("a connection");
    for sql in all() {
        if let Err(fault) = connection.prepare(sql).await {
            panic!("{fault:?}: {sql}");
        }
    }
}
