//! The statements of a copy, made of the declarations of the tables. Each walks along a primary key.

use store::copy::{Column, Table};

/// How a column is read that this store has otherwise, or not at all.
const READ_AS: &[(&str, &str, &str)] = &[
    ("letters", "integration_id", "null"),
    ("mails", "integration_id", "null"),
    ("lanes", "integration_id", WHOSE_SUBSCRIPTION),
    ("trouble_mails", "integration_id", WHOSE_SUBSCRIPTION),
    (
        "payload_render_view_revisions",
        "integration_id",
        "(select v.integration_id from payload_render_views v where v.id = payload_render_view_id)",
    ),
    (
        "payloads",
        "integration_id",
        "(select w.integration_id from temp.whose_payloads w where w.payload_id = payloads.id)",
    ),
    (
        "webhook_attempts",
        "integration_id",
        "(select j.integration_id from webhook_jobs j where j.id = webhook_job_id)",
    ),
    // No node has that number.
    ("delivery_statistics", "node_id", "0"),
    // Absent means no.
    ("webhook_jobs", "late", "late is 1"),
];

const WHOSE_SUBSCRIPTION: &str =
    "(select s.integration_id from webhook_out_subs s where s.id = webhook_out_sub_id)";

/// Rows that stay behind: what is known of the lanes of deleted subscriptions.
const ONLY_WHERE: &[(&str, &str)] = &[(
    "lanes",
    "exists (select 1 from webhook_out_subs s where s.id = webhook_out_sub_id and s.deleted_at is null)",
)];

/// The next rows, after a key if there is one.
pub(super) fn rows(table: &Table, columns: &[Column], is_after: bool, limit: usize) -> String {
    let read: Vec<&str> = columns
        .iter()
        .map(|column| read_as(table, column))
        .collect();
    let key = names(&table.key());
    let after = is_after.then(|| {
        let values: Vec<String> = (1..=table.key().len()).map(|n| format!("?{n}")).collect();
        format!("({key}) > ({})", values.join(", "))
    });
    format!(
        "select {} from {}{} order by {key} limit {limit}",
        read.join(", "),
        table.name,
        conditions(table, after)
    )
}

/// The key of the last row.
pub(super) fn last_key(table: &Table) -> String {
    let key: Vec<&str> = table.key().iter().map(|column| column.name).collect();
    format!(
        "select {} from {}{} order by {} desc limit 1",
        key.join(", "),
        table.name,
        conditions(table, None),
        key.join(" desc, ")
    )
}

/// Adds a row.
pub(super) fn insert(table: &Table) -> String {
    let columns = table.columns();
    let values: Vec<String> = (1..=columns.len()).map(|n| format!("?{n}")).collect();
    format!(
        "insert into {} ({}) values ({})",
        table.name,
        names(&columns),
        values.join(", ")
    )
}

fn read_as(table: &Table, column: &Column) -> &'static str {
    let otherwise = READ_AS
        .iter()
        .find(|(of, name, _)| *of == table.name && *name == column.name);
    otherwise.map_or(column.name, |(_, _, sql)| sql)
}

fn conditions(table: &Table, after: Option<String>) -> String {
    let only = ONLY_WHERE.iter().find(|(of, _)| *of == table.name);
    let only = only.map(|(_, sql)| (*sql).to_owned());
    let conditions: Vec<String> = only.into_iter().chain(after).collect();
    match conditions.is_empty() {
        true => String::new(),
        false => format!(" where {}", conditions.join(" and ")),
    }
}

fn names(columns: &[Column]) -> String {
    let names: Vec<&str> = columns.iter().map(|column| column.name).collect();
    names.join(", ")
}
