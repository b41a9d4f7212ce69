//! The statements of a copy, made of the declarations of the tables. Each walks along a primary key.

use store::copy::{Column, Kind, Table};

/// Where rows of a table are kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) table: &'static str,
    /// The column that it lacks, if it lacks one.
    lacks: &'static str,
    /// Which rows are there.
    rows: &'static str,
}

/// Jobs that wait, and jobs that are final; a view shows both.
const OF_JOBS: [Place; 2] = [
    Place {
        table: "webhook_jobs_waiting",
        lacks: "finished_at",
        rows: " where finished_at is null",
    },
    Place {
        table: "webhook_jobs_final",
        lacks: "next_attempt_at",
        rows: " where finished_at is not null",
    },
];
const JOBS: &str = "webhook_jobs";
const JOB_IDS: &str = "'webhook_jobs_id_seq'";

/// Rows that stay behind: lanes that were never other than healthy.
const ONLY_WHERE: &[(&str, &str)] = &[("lanes", "record is not null")];

/// Tables that are read otherwise: each node counts in rows of its own, and all of them together are copied.
const READ_FROM: &[(&str, &str)] = &[(
    "delivery_statistics",
    "(select step_seconds, begins_at, integration_id, webhook_out_sub_id, measure, duration_class, 0::bigint as node_id, \
     sum(counted)::bigint as counted from delivery_statistics \
     group by step_seconds, begins_at, integration_id, webhook_out_sub_id, measure, duration_class) as all_nodes",
)];

/// Where the rows of a table go.
pub(super) fn places(table: &Table) -> Vec<Place> {
    match table.name {
        JOBS => OF_JOBS.to_vec(),
        name => vec![Place {
            table: name,
            lacks: "",
            rows: "",
        }],
    }
}

impl Place {
    /// Those of these columns that it has.
    pub(super) fn columns(&self, all: &[Column]) -> Vec<Column> {
        let kept = all.iter().filter(|column| column.name != self.lacks);
        kept.copied().collect()
    }
}

/// The next rows, after a key if there is one.
pub(super) fn rows(table: &Table, columns: &[Column], is_after: bool, limit: usize) -> String {
    let key = names(&table.key());
    let after = is_after.then(|| {
        let values: Vec<String> = (1..=table.key().len()).map(|n| format!("${n}")).collect();
        format!("({key}) > ({})", values.join(", "))
    });
    format!(
        "select {} from {}{} order by {key} limit {limit}",
        names(columns),
        read_from(table),
        conditions(table, after)
    )
}

/// The key of the last row.
pub(super) fn last_key(table: &Table) -> String {
    let key = names(&table.key());
    format!(
        "select {key} from {}{} order by {} desc limit 1",
        read_from(table),
        conditions(table, None),
        key.replace(", ", " desc, ")
    )
}

/// Adds those of many rows that belong to this place. Each column is an array.
pub(super) fn insert(place: Place, columns: &[Column]) -> String {
    let arrays: Vec<String> = (1..)
        .zip(columns)
        .map(|(n, column)| format!("${n}::{}[]", kind(column.kind)))
        .collect();
    let kept = names(&place.columns(columns));
    format!(
        "insert into {} ({kept}) select {kept} from unnest({}) as r ({}){}",
        place.table,
        arrays.join(", "),
        names(columns),
        place.rows
    )
}

/// Makes what is new get higher ids than what was copied, where a table has ids.
pub(super) fn sequence(table: &Table) -> Option<String> {
    let ids = match table.name {
        JOBS => JOB_IDS.to_owned(),
        name => format!("pg_get_serial_sequence('{name}', 'id')"),
    };
    (table.key == "id").then(|| {
        format!(
            "select setval({ids}, max(id)) from {} having max(id) is not null",
            table.name
        )
    })
}

fn read_from(table: &Table) -> &'static str {
    let otherwise = READ_FROM.iter().find(|(of, _)| *of == table.name);
    otherwise.map_or(table.name, |(_, sql)| sql)
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Integer => "bigint",
        Kind::Boolean => "boolean",
        Kind::Text => "text",
        Kind::Bytes => "bytea",
        Kind::Uuid => "uuid",
    }
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
