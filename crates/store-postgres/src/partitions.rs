//! The pieces of the tables that grow: each holds a range of ids, about a week of them.
//!
//! A piece is made before the ids come to it. It is attached ready-made, since that does not hold up whoever reads and writes the
//! table meanwhile.

use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::one;

/// A table that is kept in pieces, and the sequence that gives the ids by which it is cut.
struct Growing {
    table: &'static str,
    ids: &'static str,
}

const GROWING: [Growing; 4] = [
    Growing {
        table: "order_stages",
        ids: "order_stages_id_seq",
    },
    Growing {
        table: "payloads",
        ids: "payloads_id_seq",
    },
    Growing {
        table: "webhook_jobs_final",
        ids: "webhook_jobs_id_seq",
    },
    Growing {
        table: "webhook_attempts",
        ids: "webhook_jobs_id_seq",
    },
];

/// Ids in the smallest piece: an idle store shall not be cut up.
const IDS_MIN: i64 = 1_000_000;
/// Ids in the largest piece.
const IDS_MAX: i64 = 1_000_000_000;
/// How much larger than the one before a piece may be: a busy hour tells little of a week.
const GROWTH_MAX: i64 = 8;
/// What a piece shall hold, in seconds: of three months there are then about thirteen, and each look-up that knows no id asks all of them.
const PIECE_SECONDS: i64 = 7 * 24 * 60 * 60;

/// Pieces that a copied table is cut into, since nothing tells how old its ids are: as many as of three months.
const COPIED_PIECES: i64 = 13;

/// Held by the node that makes pieces; any number that other programs do not use.
const LOCK: &str = "select pg_advisory_xact_lock(7815694213740091392)";
// primary key
pub(crate) const LAST: &str = "select from_id, until_id, extract(epoch from now() - made_at)::bigint as seconds from partitions \
     where of_table = $1 order by from_id desc limit 1";
pub(crate) const KEEP: &str =
    "insert into partitions (of_table, from_id, until_id) values ($1, $2, $3)";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[LAST, KEEP, FORGET];

/// The newest piece of a table.
struct Piece {
    from_id: i64,
    until_id: i64,
    /// How long ago it was made.
    seconds: i64,
}

impl Piece {
    fn ids(&self) -> i64 {
        self.until_id - self.from_id
    }

    /// How many ids the next one shall hold, now that they have come to this one.
    fn next_ids(&self, id: i64) -> i64 {
        let used = id.saturating_sub(self.from_id).max(0);
        let a_week = used.saturating_mul(PIECE_SECONDS) / self.seconds.max(1);
        let most = self.ids().saturating_mul(GROWTH_MAX).min(IDS_MAX);
        a_week.clamp(IDS_MIN, most.max(IDS_MIN))
    }
}

/// Makes the pieces that are needed soon; writes nothing where there are enough.
pub(crate) async fn make_ahead(connection: &Connection) -> Result<(), Fault> {
    for growing in &GROWING {
        while needed(connection, growing).await?.is_some() {
            connection.batch("begin").await?;
            let made = make(connection, growing).await;
            let end = if made.is_ok() { "commit" } else { "rollback" };
            connection.batch(end).await?;
            made?;
        }
    }
    Ok(())
}

/// The piece that is needed soon, if one is: once half of the last one is used.
async fn needed(connection: &Connection, growing: &Growing) -> Result<Option<(i64, i64)>, Fault> {
    let Some(last) = one(connection, LAST, &[&growing.table], |row| {
        Ok(Piece {
            from_id: row.try_get("from_id")?,
            until_id: row.try_get("until_id")?,
            seconds: row.try_get("seconds")?,
        })
    })
    .await?
    else {
        return Ok(Some((0, IDS_MIN)));
    };
    let sql = format!("select last_value from {}", growing.ids);
    let id = one(connection, &sql, &[], |row| Ok(row.try_get(0)?)).await?;
    let id: i64 = id.unwrap_or(0);
    let is_needed = id >= last.until_id - last.ids() / 2;
    let until = last.until_id.saturating_add(last.next_ids(id));
    Ok(is_needed.then_some((last.until_id, until)))
}

async fn make(connection: &Connection, growing: &Growing) -> Result<(), Fault> {
    connection.batch(LOCK).await?;
    // Another node may have been faster.
    let Some((from, until)) = needed(connection, growing).await? else {
        return Ok(());
    };
    attach(connection, growing.table, from, until).await
}

/// Makes a piece, and attaches it ready-made.
async fn attach(connection: &Connection, table: &str, from: i64, until: i64) -> Result<(), Fault> {
    let piece = name(table, from);
    let statements = format!(
        "create table {piece} (like {table} including defaults including indexes including storage); \
         alter table {table} attach partition {piece} for values from ({from}) to ({until})"
    );
    connection.batch(&statements).await?;
    connection.execute(KEEP, &[&table, &from, &until]).await?;
    Ok(())
}

/// Makes the pieces of a table that is to be filled with ids up to this one, and one more; nothing where it is not kept in pieces.
pub(crate) async fn make_up_to(connection: &Connection, table: &str, id: i64) -> Result<(), Fault> {
    if !GROWING.iter().any(|growing| growing.table == table) {
        return Ok(());
    }
    let ids = (id / COPIED_PIECES).clamp(IDS_MIN, IDS_MAX);
    loop {
        let params: Params = &[&table];
        let last = one(connection, LAST, params, |row| Ok(row.try_get("until_id")?));
        let from: i64 = last.await?.unwrap_or(0);
        if from > id.saturating_add(ids) {
            return Ok(());
        }
        connection.batch("begin").await?;
        let made = attach(connection, table, from, from.saturating_add(ids)).await;
        let end = if made.is_ok() { "commit" } else { "rollback" };
        connection.batch(end).await?;
        made?;
    }
}

/// The table that is a piece of another one.
pub(crate) fn name(table: &str, from: i64) -> String {
    format!("{table}_from_{from}")
}

// primary key
pub(crate) const FORGET: &str = "delete from partitions where of_table = $1 and from_id = $2";

/// Drops a piece, with all that it holds.
pub(crate) async fn drop_piece(
    connection: &Connection,
    table: &str,
    from: i64,
) -> Result<(), Fault> {
    let drop = format!("drop table if exists {}", name(table, from));
    connection.batch(&drop).await?;
    connection.execute(FORGET, &[&table, &from]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_holds_about_a_week_but_no_leaps() {
        let piece = |seconds| Piece {
            from_id: 1_000_000,
            until_id: 3_000_000,
            seconds,
        };
        let cases = [
            // A million ids in two weeks, in a week, in a day, in a second; none at all.
            (piece(2 * PIECE_SECONDS), 2_000_000, IDS_MIN),
            (piece(PIECE_SECONDS), 2_000_000, 1_000_000),
            (piece(PIECE_SECONDS / 7), 2_000_000, 7_000_000),
            (piece(1), 2_000_000, 16_000_000),
            (piece(0), 1_000_000, IDS_MIN),
        ];
        for (piece, id, ids) in cases {
            assert_eq!(piece.next_ids(id), ids, "{} seconds", piece.seconds);
        }
    }
}
