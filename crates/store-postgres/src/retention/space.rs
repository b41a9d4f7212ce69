//! Giving space back: pieces of the tables that grow from which everything was removed are dropped.

use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::all;
use crate::partitions;

/// Pieces that one step drops: each waits for whoever reads the table.
const PIECES_PER_STEP: usize = 1;

// primary key; the piece that ids come from and those made ahead stay
pub(crate) const OLD: &str = "select p.of_table, p.from_id from partitions p where exists (select 1 from partitions n \
     where n.of_table = p.of_table and n.from_id = p.until_id \
     and n.from_id <= (select coalesce(last_value, 0) from pg_sequences where schemaname = current_schema() and sequencename = case p.of_table \
     when 'order_stages' then 'order_stages_id_seq' when 'payloads' then 'payloads_id_seq' else 'webhook_jobs_id_seq' end)) \
     order by p.from_id, p.of_table";
// primary key; jobs that wait still come into the pieces of their ids
pub(crate) const WAITS_BELOW: &str = "select 1 from webhook_jobs_waiting where id < $1 limit 1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[OLD, WAITS_BELOW];

/// Drops pieces that hold nothing; whether there may be more of them.
pub(super) async fn give_back(connection: &Connection) -> Result<bool, Fault> {
    let old = all(connection, OLD, &[], |row| {
        Ok((row.try_get::<_, String>(0)?, row.try_get::<_, i64>(1)?))
    });
    let mut dropped = 0;
    for (table, from) in old.await? {
        if dropped == PIECES_PER_STEP {
            return Ok(true);
        }
        if !is_needed(connection, &table, from).await? {
            partitions::drop_piece(connection, &table, from).await?;
            dropped += 1;
        }
    }
    Ok(false)
}

async fn is_needed(connection: &Connection, table: &str, from: i64) -> Result<bool, Fault> {
    let piece = partitions::name(table, from);
    let rows = format!("select 1 from {piece} limit 1");
    if !connection.query(&rows, &[]).await?.is_empty() {
        return Ok(true);
    }
    if !matches!(table, "webhook_jobs_final" | "webhook_attempts") {
        return Ok(false);
    }
    let next = format!("select until_id from partitions where of_table = $1 and from_id = {from}");
    let until = all(connection, &next, &[&table], |row| {
        Ok(row.try_get::<_, i64>(0)?)
    })
    .await;
    let until = until?.first().copied().unwrap_or(i64::MAX);
    let params: Params = &[&until];
    Ok(!connection.query(WAITS_BELOW, params).await?.is_empty())
}
