//! Every statement goes along the indexes that its comment names, and through no table that grows.
//!
//! The comments are read from the sources, and the plans asked of PostgreSQL on filled tables: for values, and for those who accept and record
//! as their connections keep them.

mod comments;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use domain::id::{IntegrationId, WebhookOutSubId};
use domain::webhook_job::JobState;
use store::rules::recoveries::page;
use store::{JobFilter, JobQuery};

use self::comments::Comment;
use self::rows::{GROWING, fill};
use super::statements::{all, written};
use super::world::tables;
use crate::connection::Connection;
use crate::pool::BEGIN_WRITER;
use crate::webhook_jobs;

/// How PostgreSQL plans what people ask: for these very values, where that is better than for any.
const FOR_PEOPLE: &str = "set plan_cache_mode = force_custom_plan; set enable_seqscan = on";

/// What a plan touches.
#[derive(Default)]
struct Plan {
    indexes: BTreeSet<String>,
    /// Tables that it goes through from end to end.
    scanned: BTreeSet<String>,
    /// Those that it goes through along an index, from end to end or until it has enough.
    walked: BTreeSet<String>,
    /// The table of the index that the line before names: what it is searched for stands below.
    open: Option<String>,
}

#[tokio::test]
async fn every_statement_goes_along_the_indexes_that_its_comment_names() {
    let tables = tables().await;
    let connection = tables.store.connection().await.expect("a connection");
    fill(&connection).await;
    let indexes = Indexes::read(&connection).await;
    let comments = comments::all();
    let (mut checked, mut wrong) = (0, Vec::new());
    let asked = all().map(|sql| (FOR_PEOPLE, sql));
    for (settings, sql) in asked.chain(written().map(|sql| (BEGIN_WRITER, sql))) {
        let Some(comment) = comments::of(&comments, sql) else {
            continue;
        };
        let plan = plan(&connection, sql, settings, &indexes).await;
        wrong.extend(indexes.faults(comment, &plan).map(|fault| {
            let place = format!("{} {}", comment.file, comment.name);
            format!("{place}: {fault}; uses {:?} ({settings})", plan.indexes)
        }));
        checked += 1;
    }
    assert!(checked > 200, "only {checked} statements have a comment");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Those who accept and record keep the plan that they made at first, however much the tables have grown since.
#[tokio::test]
async fn a_plan_that_was_made_for_empty_tables_goes_through_none_of_them() {
    let tables = tables().await;
    let connection = tables.store.connection().await.expect("a connection");
    let indexes = Indexes::read(&connection).await;
    let (mut checked, mut wrong) = (0, Vec::new());
    for sql in written() {
        let plan = plan(&connection, sql, BEGIN_WRITER, &indexes).await;
        let through = plan.scanned.iter().chain(&plan.walked);
        let mut through = through.filter(|table| GROWING.contains(&&***table));
        wrong.extend(through.next().map(|table| format!("{table}: {sql}")));
        checked += 1;
    }
    assert!(checked > 40, "only {checked} statements");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn failing_jobs_of_a_subscription_are_not_looked_for_among_all_of_its_jobs() {
    let tables = tables().await;
    let connection = tables.store.connection().await.expect("a connection");
    fill(&connection).await;
    let mut query = JobQuery {
        integration_id: IntegrationId(1),
        filter: JobFilter::default(),
        delivering: Vec::new(),
        list: page(0, 50),
    };
    query.filter.subscriber_ids = vec![WebhookOutSubId(1)];
    query.filter.states = vec![JobState::Retrying, JobState::Exhausted];
    let plan = webhook_jobs::plan(&connection, &query).await;
    let plan = plan
        .expect("a plan")
        .explain(&connection, &query.list)
        .await;
    assert!(plan.contains("_integration_id_state_id_idx"), "{plan}");
}

/// The indexes of the schema, those of pieces under the name of the whole.
struct Indexes {
    /// What an index in a plan is called in the schema.
    whole: BTreeMap<String, String>,
    /// The table of each.
    tables: BTreeMap<String, String>,
    /// Which tables are pieces of which; what is empty may be gone through.
    pieces: BTreeMap<String, String>,
}

const INDEXES: &str = "select i.relname, coalesce(w.relname, i.relname), coalesce(wt.relname, t.relname) \
     from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid \
     left join pg_inherits h on h.inhrelid = i.oid left join pg_class w on w.oid = h.inhparent \
     left join pg_index wx on wx.indexrelid = w.oid left join pg_class wt on wt.oid = wx.indrelid \
     where t.relnamespace = 'public'::regnamespace";
const PIECES: &str = "select t.relname, coalesce(w.relname, t.relname) from pg_class t left join pg_inherits h on h.inhrelid = t.oid \
     left join pg_class w on w.oid = h.inhparent where t.relkind = 'r' and t.reltuples > 0 and t.relnamespace = 'public'::regnamespace";

impl Indexes {
    async fn read(connection: &Connection) -> Indexes {
        let mut indexes = Indexes {
            whole: BTreeMap::new(),
            tables: BTreeMap::new(),
            pieces: BTreeMap::new(),
        };
        for row in connection.query(INDEXES, &[]).await.expect("indexes") {
            let (name, whole): (String, String) = (row.get(0), row.get(1));
            indexes.whole.insert(name, whole.clone());
            indexes.tables.insert(whole, row.get(2));
        }
        for row in connection.query(PIECES, &[]).await.expect("tables") {
            indexes.pieces.insert(row.get(0), row.get(1));
        }
        indexes
    }

    /// What of a plan is not as the comment says.
    fn faults<'a>(
        &'a self,
        comment: &'a Comment,
        plan: &'a Plan,
    ) -> impl Iterator<Item = String> + 'a {
        let grows = |table: &String| GROWING.contains(&&**table);
        let scanned = plan.scanned.iter().filter(move |table| grows(table));
        let scanned = scanned.map(|table| format!("goes through {table}"));
        let named = || comment.indexes.iter();
        let unknown = named().filter(|name| !self.tables.contains_key(*name));
        let unknown = unknown.map(|name| format!("there is no index {name}"));
        let unused = named().filter(move |name| {
            self.tables.get(*name).is_some_and(grows) && !plan.indexes.contains(*name)
        });
        let unused = unused.map(|name| format!("does not use {name}"));
        scanned.chain(unknown).chain(unused)
    }
}

/// How PostgreSQL carries a statement out.
async fn plan(connection: &Connection, sql: &str, settings: &str, indexes: &Indexes) -> Plan {
    let parameters = rows::parameters(connection, sql).await;
    let prepare = format!("{settings}; prepare planned as {sql}");
    connection.batch(&prepare).await.expect(sql);
    let explain = format!("explain (costs off) execute planned{parameters}");
    let lines = connection.query_once(&explain, &[]).await;
    let mut plan = Plan::default();
    for line in lines.expect(&explain) {
        plan.note(line.get(0), indexes);
    }
    plan.walked.extend(plan.open.take());
    let forgotten = connection.batch("deallocate planned").await;
    forgotten.expect("is there");
    plan
}

impl Plan {
    /// Notes what a line of a plan touches.
    fn note(&mut self, line: &str, indexes: &Indexes) {
        let named = |text: &str| {
            text.split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        let after = |words: &str| line.split_once(words).map(|(_, rest)| named(rest));
        let uses = [
            "Scan using ",
            "Scan Backward using ",
            "Bitmap Index Scan on ",
            "Conflict Arbiter Indexes: ",
        ];
        let open = self.open.take();
        if !line.contains("Index Cond: ") {
            self.walked.extend(open);
        }
        if let Some(name) = uses.into_iter().find_map(after) {
            let name = indexes.whole.get(&name).cloned().unwrap_or(name);
            if !line.contains("Conflict Arbiter") {
                self.open = indexes.tables.get(&name).cloned();
            }
            self.indexes.insert(name);
        }
        if let Some(name) = after("Seq Scan on ") {
            self.scanned.extend(indexes.pieces.get(&name).cloned());
        }
    }
}
