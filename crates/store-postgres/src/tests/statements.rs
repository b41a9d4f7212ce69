//! Every statement fits the schema.

use super::world::tables;
use crate::*;

#[tokio::test]
async fn every_statement_fits_the_schema() {
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
    let tables = tables().await;
    let connection = tables.store.connection().await.expect("a connection");
    let all = plain.iter().chain(nested.into_iter().flatten());
    for sql in all.copied().flatten() {
        if let Err(fault) = connection.prepare(sql).await {
            panic!("{fault:?}: {sql}");
        }
    }
}
