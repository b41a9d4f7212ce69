//! Every statement fits the schema, and no list reads more than it shows.

use domain::id::{IntegrationId, OrderId, WebhookJobId, WebhookOutSubId};
use domain::webhook_job::JobState;
use rusqlite::Connection;
use store::{JobFilter, JobQuery, ListQuery, OrderQuery, Search, StageQuery};

use super::world::{after, list};
use crate::list_query::ListPlan;
use crate::migrate::migrate;
use crate::*;

fn database() -> Connection {
    let connection = Connection::open_in_memory().expect("memory");
    migrate(&connection).expect("a schema");
    list_items::fill(&connection, after(0)).expect("words");
    let rows = "insert into webhook_out_subs (id, integration_id, key, name, callback_url, statuses, \
        events, active, notify, version, ordering, signing_secret, created_at, updated_at) \
        values (1, 1, 'a', 'scheduled too', 'https://a', '[]', '[]', 1, 0, 'v3', 'none', x'', 0, 0); \
        insert into orders values (1, 1, 'scheduled-1', 'hold', 1, '{}', 'scheduled street', 0, 0);";
    connection.execute_batch(rows).expect("rows");
    connection
}

#[test]
fn every_statement_fits_the_schema() {
    let connection = database();
    let plain = [
        applications::STATEMENTS,
        audit::STATEMENTS,
        audit_events::STATEMENTS,
        check::STATEMENTS,
        delivery_statistics::STATEMENTS,
        due::STATEMENTS,
        idempotency::STATEMENTS,
        integrations::STATEMENTS,
        known::STATEMENTS,
        list_items::STATEMENTS,
        mails::STATEMENTS,
        match_trace::STATEMENTS,
        notifications::STATEMENTS,
        operational::STATEMENTS,
        order_stages::STATEMENTS,
        record::STATEMENTS,
        recoveries::STATEMENTS,
        recoveries::begin::STATEMENTS,
        registry::STATEMENTS,
        release::STATEMENTS,
        sessions::STATEMENTS,
        clock_set::STATEMENTS,
        supersede::STATEMENTS,
        troubles::STATEMENTS,
    ];
    let nested = [
        accept::STATEMENTS,
        orders::STATEMENTS,
        retention::STATEMENTS,
        users::STATEMENTS,
        verify::STATEMENTS,
        payload_render_views::STATEMENTS,
        webhook_jobs::STATEMENTS,
        webhook_out_subs::STATEMENTS,
    ];
    let all = plain.iter().chain(nested.into_iter().flatten());
    for sql in all.copied().flatten() {
        if let Err(error) = connection.prepare(sql) {
            panic!("{error}: {sql}");
        }
    }
}

/// Tables that grow for ever.
const LARGE: [&str; 5] = [
    "orders",
    "order_stages",
    "webhook_jobs",
    "webhook_attempts",
    "delivery_statistics",
];

#[test]
fn no_statement_walks_through_a_large_table() {
    let connection = database();
    let plain = [
        check::STATEMENTS,
        delivery_statistics::STATEMENTS,
        due::STATEMENTS,
        idempotency::STATEMENTS,
        known::STATEMENTS,
        order_stages::STATEMENTS,
        record::STATEMENTS,
        recoveries::STATEMENTS,
        recoveries::begin::STATEMENTS,
        release::STATEMENTS,
        clock_set::STATEMENTS,
        troubles::STATEMENTS,
    ];
    let nested = [
        accept::STATEMENTS,
        orders::STATEMENTS,
        payload_render_views::STATEMENTS,
        retention::STATEMENTS,
        webhook_jobs::STATEMENTS,
        webhook_out_subs::STATEMENTS,
    ];
    let all = plain.iter().chain(nested.into_iter().flatten());
    for sql in all.copied().flatten() {
        // The largest id is the end of the table, though SQLite calls finding it a scan.
        let is_end =
            sql.starts_with("select max(id)") || sql.starts_with("select coalesce(max(id)");
        // Nobody but who scrapes metrics counts what waits, and only so far.
        let is_bounded = sql.contains("limit 1000000");
        if is_end || is_bounded {
            continue;
        }
        let explained = format!("explain query plan {sql}");
        let mut statement = connection.prepare(&explained).expect("a plan");
        let parameters = vec![rusqlite::types::Null; statement.parameter_count()];
        let lines = statement
            .query_map(rusqlite::params_from_iter(parameters), |row| row.get(3))
            .expect("a plan");
        let lines: Vec<String> = lines.collect::<Result<_, _>>().expect("lines");
        assert_cheap(sql, &lines);
    }
}

fn assert_cheap(what: &str, lines: &[String]) {
    for line in lines {
        let scans = LARGE.iter().any(|table| {
            line == &format!("SCAN {table}") || line.starts_with(&format!("SCAN {table} "))
        });
        let scans = scans || line == "SCAN j" || line.starts_with("SCAN j ");
        assert!(
            !scans && !line.contains("USE TEMP B-TREE FOR ORDER BY"),
            "{what}: {lines:#?}"
        );
    }
}

fn assert_plan_is_cheap(connection: &Connection, what: &str, plan: &ListPlan, query: &ListQuery) {
    let lines = plan.explain(connection, query);
    assert!(!lines.is_empty(), "{what} looks nowhere");
    assert_cheap(what, &lines);
}

fn searched(attribute: &'static str, term: &str) -> ListQuery {
    ListQuery {
        search: Some(Search {
            term: term.to_owned(),
            attributes: vec![attribute],
        }),
        ..list(50)
    }
}

/// The query and its reverse, from the start and from a cursor.
fn variants(query: &ListQuery) -> Vec<ListQuery> {
    let mut variants = Vec::new();
    for descending in [false, true] {
        for start in [
            store::Start::Offset(0),
            store::Start::After(store::Cursor {
                by: "id".to_owned(),
                descending: true,
                value: store::SortKey::Integer(7),
                id: 7,
            }),
        ] {
            let mut variant = query.clone();
            variant.sort.descending = descending;
            variant.page.start = start;
            variants.push(variant);
        }
    }
    variants
}

fn all_jobs() -> JobQuery {
    JobQuery {
        integration_id: IntegrationId(1),
        filter: JobFilter::default(),
        delivering: Vec::new(),
        list: list(50),
    }
}

/// Adds a filter to a query.
type Filter = Box<dyn Fn(&mut JobQuery)>;

/// Ways to narrow a query down, each by one filter.
fn filters() -> Vec<Filter> {
    fn text(text: &str) -> Vec<String> {
        vec![text.to_owned()]
    }
    let mut filters: Vec<Filter> = vec![
        Box::new(|_| ()),
        Box::new(|query| query.filter.states = vec![JobState::Pending, JobState::Exhausted]),
        Box::new(|query| {
            query.filter.states = vec![JobState::Delivering];
            query.delivering = vec![WebhookJobId(3), WebhookJobId(4)];
        }),
        Box::new(|query| {
            query.filter.states = vec![JobState::Delivered, JobState::Delivering];
            query.delivering = vec![WebhookJobId(3), WebhookJobId(4)];
        }),
        Box::new(|query| query.filter.subscriber_ids = vec![WebhookOutSubId(1)]),
        Box::new(|query| query.filter.subscriber_keys = text("a")),
        Box::new(|query| query.filter.endpoints = text("https://a")),
        Box::new(|query| query.filter.order_ids = vec![OrderId(1), OrderId(2)]),
        Box::new(|query| query.filter.statuses = text("hold")),
        Box::new(|query| query.filter.event_types = text("scheduled")),
        Box::new(|query| query.filter.status_codes = vec![500, 404]),
        Box::new(|query| query.filter.status_codes = vec![200]),
        Box::new(|query| query.filter.created_from = Some(after(0))),
        Box::new(|query| query.filter.created_until = Some(after(0))),
    ];
    let searches = [
        ("status", "sched"),
        ("address", "sched"),
        ("event", "order."),
        ("order_id", "sched"),
        ("order_id", "1"),
        ("webhook_subscriber", "sched"),
        ("callback_url", "https"),
    ];
    for (attribute, term) in searches {
        filters.push(Box::new(move |query| {
            query.list = searched(attribute, term)
        }));
    }
    filters
}

#[test]
fn every_filter_of_jobs_and_every_pair_is_served_in_order_by_an_index() {
    let connection = database();
    for one in filters() {
        for other in filters() {
            let mut query = all_jobs();
            one(&mut query);
            other(&mut query);
            let plan = webhook_jobs::plan(&connection, &query).expect("a plan");
            for list in variants(&query.list) {
                assert_plan_is_cheap(&connection, &format!("{query:?}"), &plan, &list);
            }
        }
    }
}

#[test]
fn failing_jobs_of_a_subscription_are_not_looked_for_among_all_of_its_jobs() {
    let connection = database();
    let mut query = all_jobs();
    query.filter.subscriber_ids = vec![WebhookOutSubId(1)];
    for (states, index) in [
        (
            vec![JobState::Retrying, JobState::Exhausted],
            "webhook_jobs_by_state",
        ),
        (vec![JobState::Delivered], "webhook_jobs_by_subscriber"),
    ] {
        query.filter.states = states;
        let plan = webhook_jobs::plan(&connection, &query).expect("a plan");
        let lines = plan.explain(&connection, &query.list).join("\n");
        assert!(lines.contains(index), "{lines}");
    }
}

#[test]
fn every_filter_of_orders_is_served_in_order_by_an_index() {
    let connection = database();
    let all = OrderQuery {
        integration_id: IntegrationId(1),
        statuses: Vec::new(),
        external_order_ids: Vec::new(),
        created_from: None,
        created_until: None,
        list: list(50),
    };
    let text = |text: &str| vec![text.to_owned()];
    let found = |attribute| OrderQuery {
        list: searched(attribute, "sched"),
        ..all.clone()
    };
    let queries = [
        all.clone(),
        OrderQuery {
            statuses: text("hold"),
            ..all.clone()
        },
        OrderQuery {
            external_order_ids: text("scheduled-1"),
            ..all.clone()
        },
        OrderQuery {
            created_from: Some(after(0)),
            ..all.clone()
        },
        found("external_order_id"),
        found("status"),
        found("address"),
    ];
    for query in queries {
        let plan = orders::plan(&connection, &query).expect("a plan");
        for list in variants(&query.list) {
            assert_plan_is_cheap(&connection, &format!("{query:?}"), &plan, &list);
        }
    }
}

#[test]
fn every_filter_of_order_stages_is_served_in_order_by_an_index() {
    let connection = database();
    let all = StageQuery {
        integration_id: IntegrationId(1),
        order_ids: Vec::new(),
        stages: Vec::new(),
        event_slugs: Vec::new(),
        created_from: None,
        created_until: None,
        list: list(50),
    };
    let text = |text: &str| vec![text.to_owned()];
    let queries = [
        all.clone(),
        StageQuery {
            order_ids: vec![OrderId(1), OrderId(2)],
            ..all.clone()
        },
        StageQuery {
            stages: text("hold"),
            ..all.clone()
        },
        StageQuery {
            event_slugs: text("order.delivered"),
            ..all.clone()
        },
        StageQuery {
            created_until: Some(after(0)),
            ..all.clone()
        },
    ];
    for query in queries {
        let plan = order_stages::plan(&connection, &query).expect("a plan");
        for list in variants(&query.list) {
            assert_plan_is_cheap(&connection, &format!("{query:?}"), &plan, &list);
        }
    }
}
