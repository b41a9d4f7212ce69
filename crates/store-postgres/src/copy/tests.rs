//! What is copied is the schema; and each statement fits it.

use std::collections::BTreeSet;

use testkit::TestPostgres;

use super::*;

/// Of nodes, and of this engine's own upkeep.
const TABLES_NOT_COPIED: &[&str] = &["kept_revisions", "nodes", "partitions", "schema_versions"];
/// Who works on a record at the moment, and how many times caches were to be read anew.
const COLUMNS_NOT_COPIED: &[(&str, &str)] = &[
    ("integrations", "subscribers_revision"),
    ("lanes", "fence"),
    ("lanes", "node_id"),
    ("recoveries", "node_id"),
];

/// Part of a key in this engine alone.
const KEYS_NOT_COPIED: &[(&str, &str)] = &[("delivery_statistics", "node_id")];

const SCHEMA: &str = "select c.relname::text, a.attname::text, coalesce(a.attnum = any(i.indkey), false) from pg_class c \
     join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid \
     left join pg_index i on i.indrelid = c.oid and i.indisprimary \
     where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition and a.attnum > 0 and not a.attisdropped";

async fn target() -> (PostgresCopy, TestPostgres) {
    let database = TestPostgres::new();
    let copy = PostgresCopy::target(&database.url(), None).await;
    (copy.expect("a database"), database)
}

#[tokio::test]
async fn every_column_of_the_schema_is_copied_or_said_not_to_be() {
    let (copy, _database) = target().await;
    let connection = copy.connection.lock().await;
    let found = connection.query(SCHEMA, &[]).await.expect("a schema");
    let (mut schema, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for row in &found {
        let (table, column): (String, String) = (row.get(0), row.get(1));
        let pair = (table.as_str(), column.as_str());
        if TABLES_NOT_COPIED.contains(&pair.0) || COLUMNS_NOT_COPIED.contains(&pair) {
            continue;
        }
        if row.get(2) && !KEYS_NOT_COPIED.contains(&pair) {
            keys.insert((table.clone(), column.clone()));
        }
        schema.insert((table, column));
    }
    let (mut copied, mut copied_keys) = (BTreeSet::new(), BTreeSet::new());
    for table in TABLES {
        for place in places(table) {
            let of = |column: &Column| (place.table.to_owned(), column.name.to_owned());
            let columns = place.columns(&table.all_columns());
            copied.extend(columns.iter().map(of));
            copied_keys.extend(table.key().iter().map(of));
        }
    }
    let differing: Vec<_> = schema.symmetric_difference(&copied).collect();
    assert!(differing.is_empty(), "only in one: {differing:?}");
    assert_eq!(keys, copied_keys);
}

#[tokio::test]
async fn every_statement_fits_the_schema() {
    let (copy, _database) = target().await;
    let connection = copy.connection.lock().await;
    for table in TABLES {
        let columns = table.all_columns();
        let inserts = places(table).into_iter();
        let mut statements: Vec<String> = inserts.map(|place| insert(place, &columns)).collect();
        statements.push(rows(table, &columns, false, 10));
        statements.push(rows(table, &columns, true, 10));
        statements.push(last_key(table));
        statements.extend(sequence(table));
        for sql in statements {
            connection.prepare(&sql).await.expect(&sql);
        }
    }
}

#[tokio::test]
async fn what_is_copied_has_room_and_what_follows_it_too() {
    let (copy, _database) = target().await;
    let jobs = TABLES.iter().find(|table| table.name == "webhook_jobs");
    let jobs = jobs.expect("jobs");
    let last = vec![Value::Integer(100_000_000)];
    for _ in 0..2 {
        copy.prepare(jobs, &last).await.expect("room");
    }
    let connection = copy.connection.lock().await;
    let sql =
        "select count(*), max(until_id) from partitions where of_table = 'webhook_jobs_final'";
    let made = one(&connection, sql, &[], |row| {
        Ok((row.try_get(0)?, row.try_get(1)?))
    });
    let (count, until): (i64, i64) = made.await.expect("read").expect("a row");
    assert_eq!(count, COPIED + 2);
    assert!(until > 100_000_000 + 100_000_000 / COPIED, "{until}");
}

/// Into how many pieces the copied ids are cut.
const COPIED: i64 = 13;
