//! Tables with so many rows that a plan tells something.

use crate::connection::Connection;
use crate::partitions;

/// Asks for so many changes, each with its order, payload, two jobs and an attempt, in place of [`CHANGES`].
const CHANGES_VARIABLE: &str = "POSTRIDER_PLANS_CHANGES";
/// Enough that no index is worse than the whole table, and made in a second or two.
const CHANGES: usize = 20_000;
/// Changes that are made in one go: no node waits longer for an answer than that takes.
const CHANGES_AT_ONCE: usize = 100_000;

/// The tables that grow with the changes.
pub(super) const GROWING: &[&str] = &[
    "idempotency_keys",
    "order_stages",
    "orders",
    "payloads",
    "webhook_attempts",
    "webhook_jobs_final",
    "webhook_jobs_waiting",
];

/// What is made first; the changes are of the first 400 integrations, for a subscription of each that is done and one that waits.
const FEW: &str = "
    insert into integrations (key, name, created_at, updated_at) select 'i' || n, 'i' || n, n, n from generate_series(1, 10000) n;
    insert into webhook_out_subs (integration_id, key, name, callback_url, statuses, events, active, notify, version, ordering,
      signing_secret, created_at, updated_at)
      select 1 + n % 10000, 's' || n, 's' || n, 'https://a.example/' || n, '[]', '[]', true, false, 'v3', 'order', '', n, n
      from generate_series(0, 19999) n;
    insert into nodes (name, lease_until) select 'n' || n, now() + interval '1 day' from generate_series(1, 2000) n;
    insert into lanes (webhook_out_sub_id, integration_id, node_id, fence) select id, integration_id, 1 + id % 2000, 1 from webhook_out_subs;
";

/// What is made for each change; up to a million, which fill the first piece of each table.
const CHANGE: &str = "
    insert into orders (id, integration_id, external_order_id, status, sequence, fields, address, created_at, updated_at)
      select n, 1 + n % 400, 'o' || n, 'scheduled', 1, '{}', n || ' Elm Street', n, n from generate_series($FROM, $UNTIL) n;
    insert into order_stages (id, integration_id, order_id, sequence, stage, update_status, stage_at, matching_revision, created_at)
      select n, 1 + n % 400, n, 1, 'scheduled', true, n, 1, n from generate_series($FROM, $UNTIL) n;
    insert into payloads (id, integration_id, view, version, body)
      select n, 1 + n % 400, 'order_v3', 'v3', decode(repeat('2a', 200), 'hex') from generate_series($FROM, $UNTIL) n;
    insert into webhook_jobs_final (id, integration_id, webhook_out_sub_id, order_id, order_stage_id, sequence, payload_id, status, event,
      webhook_id, state, ordered, attempts, job_faults, status_code, passed, test, late, cancel_requested, created_at, finished_at)
      select n, 1 + n % 400, 1 + n % 400, n, n, 1, n, 'scheduled', case when n % 3 = 0 then 'due_date_changed' end,
      gen_random_uuid(), case n % 50 when 0 then 'exhausted' else 'delivered' end, true, 1, 0, case n % 50 when 0 then 500 else 200 end,
      false, false, n % 100 = 0, false, n, n from generate_series($FROM, $UNTIL) n;
    insert into webhook_jobs_waiting (id, integration_id, webhook_out_sub_id, order_id, order_stage_id, sequence, payload_id, status,
      webhook_id, ordered, next_attempt_at, created_at)
      select $N + n, 1 + n % 400, 10001 + n % 400, n, n, 1, n, 'scheduled', gen_random_uuid(), true, case when n % 4 > 0 then n end, n
      from generate_series($FROM, $UNTIL) n;
    insert into webhook_attempts (webhook_job_id, number, integration_id, started_at, callback_url, outcome, status_code, timing,
      answer_headers, answer_body_truncated)
      select n, 1, 1 + n % 400, n, 'https://a.example/', 'delivered', 200, '{}', '[]', false from generate_series($FROM, $UNTIL) n;
    insert into idempotency_keys (integration_id, key, request_hash, answer, created_at)
      select 1 + n % 400, 'k' || n, '', '', n from generate_series($FROM, $UNTIL) n;
";

/// The sequences that ids come from.
const SEQUENCES: &str = "
    select setval('orders_id_seq', $N), setval('order_stages_id_seq', $N), setval('payloads_id_seq', $N),
      setval('webhook_jobs_id_seq', 2 * $N)";

/// Fills the tables, and has PostgreSQL count.
pub(super) async fn fill(connection: &Connection) {
    let asked = std::env::var(CHANGES_VARIABLE).ok();
    let changes = asked.map_or(CHANGES, |asked| asked.parse().expect("a number"));
    let of_all = |sql: &str| sql.replace("$N", &changes.to_string());
    // The long form takes longer than a statement of a node may.
    connection
        .batch("set statement_timeout = 0")
        .await
        .expect("is set");
    connection.batch(FEW).await.expect("rows");
    for from in (0..changes).step_by(CHANGES_AT_ONCE) {
        let until = changes.min(from + CHANGES_AT_ONCE) - 1;
        let made = of_all(CHANGE).replace("$FROM", &from.to_string());
        let made = made.replace("$UNTIL", &until.to_string());
        connection.batch(&made).await.expect("rows");
    }
    for table in GROWING {
        let counted = connection.batch(&format!("vacuum analyze {table}")).await;
        counted.expect("statistics");
    }
    connection.batch("analyze").await.expect("statistics");
    // The pieces of what comes next are there, and nothing is known of them.
    connection
        .batch(&of_all(SEQUENCES))
        .await
        .expect("sequences");
    partitions::make_ahead(connection).await.expect("pieces");
}

/// Values for a statement's placeholders, as `execute` takes them.
pub(super) async fn parameters(connection: &Connection, sql: &str) -> String {
    let types = connection.parameter_types(sql).await.expect(sql);
    let values: Vec<String> = types.iter().map(|name| value(name)).collect();
    match values.is_empty() {
        true => String::new(),
        false => format!("({})", values.join(", ")),
    }
}

fn value(type_name: &str) -> String {
    match type_name {
        "int8" => "300".to_owned(),
        "text" => "'o300'".to_owned(),
        "bool" => "true".to_owned(),
        "bytea" => "''".to_owned(),
        "uuid" => "gen_random_uuid()".to_owned(),
        "_int8" => "'{300,301,302}'".to_owned(),
        "_text" => "'{o300,o301,o302}'".to_owned(),
        "_bool" => "'{true,true,true}'".to_owned(),
        array if array.starts_with('_') => "'{}'".to_owned(),
        other => panic!("no value for a {other}"),
    }
}
