//! What is copied is the schema; and each statement walks along a primary key.

use std::collections::BTreeSet;

use super::*;

fn database() -> Connection {
    let connection = Connection::open_in_memory().expect("memory");
    migrate(&connection).expect("a schema");
    connection
        .execute_batch(WHOSE_PAYLOADS)
        .expect("a temporary table");
    connection
}

/// Table and column of all that a statement finds.
fn pairs(connection: &Connection, sql: &str) -> BTreeSet<(String, String)> {
    let mut statement = connection.prepare(sql).expect(sql);
    let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    found
        .expect("rows")
        .collect::<Result<_, _>>()
        .expect("pairs")
}

#[test]
fn every_column_of_the_schema_is_copied() {
    let connection = database();
    let schema = pairs(
        &connection,
        "select t.name, c.name from main.sqlite_schema t, pragma_table_info(t.name) c \
         where t.type = 'table' and t.name not like 'sqlite_%'",
    );
    let copied: BTreeSet<(String, String)> = TABLES
        .iter()
        .flat_map(|table| {
            let of = |column: Column| (table.name.to_owned(), column.name.to_owned());
            table.columns().into_iter().map(of)
        })
        .collect();
    let differing: Vec<_> = schema.symmetric_difference(&copied).collect();
    assert!(differing.is_empty(), "only in one: {differing:?}");
    let keys = pairs(
        &connection,
        "select t.name, c.name from main.sqlite_schema t, pragma_table_info(t.name) c where t.type = 'table' and c.pk > 0",
    );
    let copied: BTreeSet<(String, String)> = TABLES
        .iter()
        .flat_map(|table| {
            let of = |column: Column| (table.name.to_owned(), column.name.to_owned());
            table.key().into_iter().map(of)
        })
        .collect();
    assert_eq!(keys, copied);
}

#[test]
fn every_statement_fits_the_schema_and_sorts_nothing() {
    let connection = database();
    for table in TABLES {
        let statements = [
            rows(table, &table.all_columns(), false, 10),
            rows(table, &table.all_columns(), true, 10),
            rows(table, &table.columns(), true, 10),
            last_key(table),
        ];
        for sql in statements {
            let plan = format!("explain query plan {sql}");
            let mut statement = connection.prepare(&plan).expect(&sql);
            let values = vec![rusqlite::types::Null; statement.parameter_count()];
            let lines = statement.query_map(params_from_iter(values), |row| row.get(3));
            let lines: Result<Vec<String>, _> = lines.expect("a plan").collect();
            let lines = lines.expect("lines").join("; ");
            assert!(!lines.contains("TEMP B-TREE"), "{sql}: {lines}");
        }
        connection.prepare(&insert(table)).expect("an insert");
    }
}
