//! Whether the data is whole: what every test of failures asks in the end.

use std::collections::HashSet;

use rusqlite::Connection;

use super::Server;
use crate::verify::verify;

/// Fails where the database is damaged, or does not hold exactly what it should by `postrider verify`.
pub fn check(server: &Server) {
    if server.postgres().is_none() {
        check_file(&server.database());
    }
    let (found, is_sound) = verify(server, &[]);
    assert!(is_sound, "{found}");
}

/// Fails where a database is damaged, or a change has none of the jobs that it must have.
pub fn check_file(database: &Connection) {
    let judged: String = one(database, "pragma integrity_check");
    assert_eq!(judged, "ok");
    let foreign: i64 = one(database, "select count(*) from pragma_foreign_key_check");
    assert_eq!(foreign, 0, "rows refer to rows that are not there");
    let without_job: i64 = one(
        database,
        "select count(*) from order_stages s where not exists
         (select 1 from webhook_jobs j where j.order_stage_id = s.id)",
    );
    assert_eq!(without_job, 0, "a change has no job");
}

/// The ids of the changes that have jobs.
pub fn changes(database: &Connection) -> HashSet<i64> {
    let mut ids = database
        .prepare("select order_stage_id from webhook_jobs")
        .expect("a table");
    let ids = ids.query_map([], |row| row.get(0)).expect("rows");
    ids.map(|id| id.expect("an id")).collect()
}

/// How many jobs wait.
pub fn waiting(server: &Server) -> i64 {
    server.numbers("select count(*) from webhook_jobs where finished_at is null")[0]
}

fn one<T: rusqlite::types::FromSql>(database: &Connection, sql: &str) -> T {
    let answered = database.query_row(sql, [], |row| row.get(0));
    answered.expect("is answered")
}
