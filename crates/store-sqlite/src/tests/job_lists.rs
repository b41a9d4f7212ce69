//! The list of jobs finds, over whichever index, what looking at every job finds.

use std::time::Duration;

use domain::id::{IntegrationId, OrderId, WebhookJobId, WebhookOutSubId};
use domain::time::Moment;
use domain::vocabulary::event_type;
use domain::webhook_job::{JobState, WebhookJob};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rusqlite::params;
use store::{JobFilter, JobQuery, Search, Start, StoreError, WebhookJobs};

use super::world::{World, after, list};
use crate::fault::Fault;
use crate::webhook_jobs::read_job;

const JOBS: i64 = 400;
const QUERIES: usize = 400;
const STATUSES: &[&str] = &["scheduled", "scheduling", "hold", "canceled"];
const EVENTS: &[Option<&str>] = &[
    None,
    Some("order.canceled"),
    Some("order.processed"),
    Some("appointment.scheduled"),
];
const STATES: &[JobState] = &[
    JobState::Delivered,
    JobState::Delivered,
    JobState::Pending,
    JobState::Retrying,
    JobState::Exhausted,
];
const CODES: &[Option<u16>] = &[None, Some(200), Some(200), Some(204), Some(500)];
const ATTRIBUTES: &[&str] = &[
    "status",
    "address",
    "event",
    "order_id",
    "webhook_subscriber",
    "callback_url",
];
const TERMS: &[&str] = &[
    "sched",
    "s",
    "hold",
    "order.",
    "appointment.scheduled",
    "A",
    "A1",
    "7",
    "12",
    "1 Main",
    "sub-a",
    "Name",
    "https://sub-b.",
    "nothing",
];

/// Two integrations, with three subscriptions and twenty orders between them, and many jobs.
async fn fill(world: &World, mut chance: StdRng) -> Vec<WebhookJob> {
    let other = world.integrate("other").await;
    for key in ["sub-a", "sub-b"] {
        world.subscribe(world.sub(key)).await;
    }
    world.subscribe(super::world::new_sub(other, "sub-a")).await;
    let integrations = [world.integration, other];
    let filled = world.store.write(move |writing| {
        let connection = &writing.connection;
        for id in 1..=20_i64 {
            let integration = integrations[usize::from(id % 5 == 0)];
            let sql = "insert into orders values (?1, ?2, ?3, 'hold', 1, '{}', ?4, 0, 0)";
            let external = (id % 3 > 0).then(|| format!("A{id}"));
            let address = (id % 2 > 0).then(|| format!("{} Main Street", id % 4));
            connection.execute(sql, params![id, integration.0, external, address])?;
        }
        for id in 1..=JOBS {
            insert_job(connection, id, integrations, &mut chance)?;
        }
        (1..=JOBS)
            .map(|id| Ok(read_job(connection, WebhookJobId(id))?.expect("a job")))
            .collect::<Result<Vec<_>, Fault>>()
    });
    filled.await.expect("filled")
}

fn insert_job(
    connection: &rusqlite::Connection,
    id: i64,
    integrations: [IntegrationId; 2],
    chance: &mut StdRng,
) -> Result<(), Fault> {
    let order: i64 = chance.random_range(1..=20);
    let is_other = order % 5 == 0;
    let sub = if is_other {
        3
    } else {
        chance.random_range(1..=2)
    };
    let sql = "insert into webhook_jobs (id, integration_id, webhook_out_sub_id, order_id, payload_id, \
        status, event, webhook_id, state, ordered, attempts, job_faults, status_code, passed, test, \
        cancel_requested, created_at) values (?1, ?2, ?3, ?4, 1, ?5, ?6, ?7, ?8, 1, 0, 0, ?9, 0, 0, 0, ?10)";
    let state = STATES.choose(chance).expect("a state");
    // Neighbours are a little out of order.
    let created_at = at(id) + Duration::from_secs(chance.random_range(0..30));
    connection.execute(
        sql,
        params![
            id,
            integrations[usize::from(is_other)].0,
            sub,
            // A test has no order.
            chance.random_bool(0.95).then_some(order),
            STATUSES.choose(chance),
            EVENTS.choose(chance).copied().flatten(),
            [0_u8; 16],
            state.name(),
            CODES.choose(chance).copied().flatten(),
            created_at.microseconds(),
        ],
    )?;
    Ok(())
}

fn at(id: i64) -> Moment {
    after(10 * u64::try_from(id).expect("an id"))
}

fn some<T: Clone>(from: &[T], chance: &mut StdRng) -> Vec<T> {
    if !chance.random_bool(0.25) {
        return Vec::new();
    }
    let count = chance.random_range(1..=2);
    from.sample(chance, count).cloned().collect()
}

fn texts(from: &[&str], chance: &mut StdRng) -> Vec<String> {
    some(from, chance).into_iter().map(str::to_owned).collect()
}

fn query(integration_id: IntegrationId, chance: &mut StdRng) -> JobQuery {
    let mut page = list(chance.random_range(1..=60));
    page.sort.descending = chance.random();
    page.search = chance.random_bool(0.4).then(|| {
        let count = chance.random_range(1..=6);
        Search {
            term: (*TERMS.choose(chance).expect("a term")).to_owned(),
            attributes: ATTRIBUTES.sample(chance, count).copied().collect(),
        }
    });
    let delivering = some(&[WebhookJobId(3), WebhookJobId(5), WebhookJobId(8)], chance);
    let mut states = some(STATES, chance);
    if !delivering.is_empty() {
        states.push(JobState::Delivering);
    }
    let moments: Vec<Moment> = some(&[at(50), at(200)], chance);
    JobQuery {
        integration_id,
        filter: JobFilter {
            states,
            subscriber_ids: some(&[1, 2, 3].map(WebhookOutSubId), chance),
            subscriber_keys: texts(&["sub-a", "sub-b", "sub-c"], chance),
            endpoints: texts(&["https://sub-a.example.com/hook", "https://x"], chance),
            order_ids: some(&[1, 2, 3, 4, 5].map(OrderId), chance),
            statuses: texts(STATUSES, chance),
            event_types: texts(&["canceled", "processed", "unknown"], chance),
            status_codes: some(&[200, 204, 500], chance),
            created_from: moments.first().copied(),
            created_until: some(&[at(100), at(300)], chance).first().copied(),
        },
        delivering,
        list: page,
    }
}

fn is_wanted(query: &JobQuery, job: &WebhookJob) -> bool {
    let holds =
        |list: &[String], value: &str| list.is_empty() || list.iter().any(|one| one == value);
    let is_subscriber = (query.filter.subscriber_ids.is_empty()
        && query.filter.subscriber_keys.is_empty())
        || query
            .filter
            .subscriber_ids
            .contains(&job.webhook_out_sub_id)
        || query
            .filter
            .subscriber_keys
            .contains(&job.webhook_subscriber);
    let is_state = query.filter.states.is_empty()
        || query.filter.states.contains(&job.state)
        || query.delivering.contains(&job.id);
    let is_order = query.filter.order_ids.is_empty()
        || job
            .order_id
            .is_some_and(|id| query.filter.order_ids.contains(&id));
    let is_event = query.filter.event_types.is_empty()
        || job.event.as_deref().is_some_and(|event| {
            query
                .filter
                .event_types
                .iter()
                .any(|kind| kind == event_type(event))
        });
    let is_code = query.filter.status_codes.is_empty()
        || job
            .status_code
            .is_some_and(|code| query.filter.status_codes.contains(&code));
    job.integration_id == query.integration_id
        && is_subscriber
        && is_state
        && is_order
        && is_event
        && is_code
        && holds(&query.filter.endpoints, &job.callback_url)
        && holds(
            &query.filter.statuses,
            job.status.as_deref().unwrap_or_default(),
        )
        && query
            .filter
            .created_from
            .is_none_or(|from| job.created_at >= from)
        && query
            .filter
            .created_until
            .is_none_or(|until| job.created_at < until)
        && query
            .list
            .search
            .as_ref()
            .is_none_or(|search| is_found(search, job))
}

fn is_found(search: &Search, job: &WebhookJob) -> bool {
    let begins = |text: &str| text.starts_with(&search.term);
    let may_begin = |text: &Option<String>| text.as_deref().is_some_and(begins);
    search.attributes.iter().any(|attribute| match *attribute {
        "status" => begins(job.status.as_deref().unwrap_or_default()),
        "address" => may_begin(&job.address),
        "event" => may_begin(&job.event),
        "order_id" => {
            let is_id = job.order_id.is_some_and(|id| id.to_string() == search.term);
            is_id || may_begin(&job.external_order_id)
        }
        "webhook_subscriber" => {
            begins(&job.webhook_subscriber)
                || begins(&format!("Name of {}", job.webhook_subscriber))
        }
        _ => begins(&job.callback_url),
    })
}

/// Follows the cursors from the first page to the last, and compares the count of each.
async fn all_pages(world: &World, mut query: JobQuery) -> Result<(Vec<i64>, Vec<u64>), StoreError> {
    let (mut ids, mut counts) = (Vec::new(), Vec::new());
    loop {
        let page = world.store.webhook_jobs(query.clone()).await?;
        ids.extend(page.items.iter().map(|job| job.id.0));
        counts.extend(page.count.map(|count| count.count));
        match page.next {
            Some(cursor) => query.list.page.start = Start::After(cursor),
            None => return Ok((ids, counts)),
        }
    }
}

#[tokio::test]
async fn a_list_over_indexes_agrees_with_looking_at_every_job() {
    let seed = 20_260_131;
    let world = World::new().await;
    let jobs = fill(&world, StdRng::seed_from_u64(seed)).await;
    let mut chance = StdRng::seed_from_u64(seed + 1);
    let mut matches = 0;
    for number in 0..QUERIES {
        let query = query(world.integration, &mut chance);
        let mut expected: Vec<i64> = jobs
            .iter()
            .filter(|job| is_wanted(&query, job))
            .map(|job| job.id.0)
            .collect();
        if query.list.sort.descending {
            expected.reverse();
        }
        matches += usize::from(!expected.is_empty());
        let context = format!("seed {seed}, query {number}: {query:?}");
        let (ids, counts) = all_pages(&world, query).await.expect(&context);
        assert_eq!(ids, expected, "{context}");
        assert!(
            counts.iter().all(|count| *count == expected.len() as u64),
            "{context}"
        );
    }
    assert!(
        matches > QUERIES / 10,
        "only {matches} queries found anything"
    );
}

#[tokio::test]
async fn pages_by_number_skip_what_stands_before_them() {
    let world = World::new().await;
    let jobs = fill(&world, StdRng::seed_from_u64(7)).await;
    let mut query = query_all(world.integration);
    query.list.page.start = Start::Offset(10);
    let page = world.store.webhook_jobs(query).await.expect("a page");
    let expected = jobs
        .iter()
        .filter(|job| job.integration_id == world.integration);
    let expected: Vec<WebhookJobId> = expected.map(|job| job.id).skip(10).take(5).collect();
    let found: Vec<WebhookJobId> = page.items.iter().map(|job| job.id).collect();
    assert_eq!(found, expected);
    assert!(page.next.is_some());
}

fn query_all(integration_id: IntegrationId) -> JobQuery {
    JobQuery {
        integration_id,
        filter: JobFilter::default(),
        delivering: Vec::new(),
        list: list(5),
    }
}
