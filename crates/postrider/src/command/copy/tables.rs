//! Carrying rows over, and comparing both sides.

use store::StoreError;
use store::copy::{Column, CopySource, CopyTarget, Row, Sum, TABLES, Table};

/// Rows of one piece: what is held in memory twice, with payloads of some KiB each.
const PIECE_ROWS: usize = 1_000;
/// Rows after which people are told how far it has come.
const TOLD_EVERY_ROWS: u64 = 100_000;

/// What a table comes to on both sides.
pub struct Compared {
    pub table: &'static Table,
    pub source: Sum,
    target: Sum,
}

impl Compared {
    /// In what they differ, if they do.
    pub fn difference(&self) -> Option<String> {
        let (name, source, target) = (self.table.name, self.source.rows(), self.target.rows());
        if self.source == self.target {
            None
        } else if source == target {
            Some(format!(
                "{name} has {source} rows, not all of them the same"
            ))
        } else {
            Some(format!("{name} has {target} rows in place of {source}"))
        }
    }
}

/// Copies every row that the target does not have yet.
///
/// # Errors
/// One of the two fails; what was added stays.
pub async fn carry(source: &dyn CopySource, target: &dyn CopyTarget) -> Result<(), StoreError> {
    for table in TABLES {
        if let Some(last) = source.last_key(table).await? {
            target.prepare(table, &last).await?;
            carry_table(source, target, table).await?;
        }
    }
    Ok(())
}

async fn carry_table(
    source: &dyn CopySource,
    target: &dyn CopyTarget,
    table: &'static Table,
) -> Result<(), StoreError> {
    let columns = table.all_columns();
    let mut told = Told::new(table);
    let mut after = target.last_key(table).await?;
    let mut piece = source
        .rows(table, &columns, after.as_ref(), PIECE_ROWS)
        .await?;
    while let Some(last) = piece.last() {
        after = Some(table.key_of(last));
        let is_last = piece.len() < PIECE_ROWS;
        told.about(piece.len());
        let next = async {
            match is_last {
                true => Ok(Vec::new()),
                false => {
                    source
                        .rows(table, &columns, after.as_ref(), PIECE_ROWS)
                        .await
                }
            }
        };
        // While one side writes, the other reads.
        let (added, next) = tokio::join!(target.add(table, piece), next);
        added?;
        piece = next?;
    }
    Ok(())
}

/// Counts and hashes all rows of both sides.
///
/// # Errors
/// One of the two cannot be read.
pub async fn compare(
    source: &dyn CopySource,
    target: &dyn CopyTarget,
) -> Result<Vec<Compared>, StoreError> {
    let mut compared = Vec::new();
    for table in TABLES {
        let (source, target) = tokio::join!(sum(source, table), sum(target, table));
        compared.push(Compared {
            table,
            source: source?,
            target: target?,
        });
    }
    Ok(compared)
}

async fn sum<S: CopySource + ?Sized>(store: &S, table: &'static Table) -> Result<Sum, StoreError> {
    let columns: Vec<Column> = table.columns();
    let mut sum = Sum::default();
    let mut after: Option<Row> = None;
    loop {
        let piece = store
            .rows(table, &columns, after.as_ref(), PIECE_ROWS)
            .await?;
        piece.iter().for_each(|row| sum.add(row));
        match piece.last() {
            Some(last) if piece.len() == PIECE_ROWS => after = Some(table.key_of(last)),
            _ => return Ok(sum),
        }
    }
}

/// Tells people how far a table has come, now and then.
struct Told {
    table: &'static Table,
    rows: u64,
}

impl Told {
    fn new(table: &'static Table) -> Told {
        Told { table, rows: 0 }
    }

    fn about(&mut self, more: usize) {
        let before = self.rows / TOLD_EVERY_ROWS;
        self.rows += more as u64;
        if self.rows / TOLD_EVERY_ROWS > before {
            eprintln!("{}: {} rows copied", self.table.name, self.rows);
        }
    }
}
