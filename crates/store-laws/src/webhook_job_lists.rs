//! The list of jobs finds, over whichever index, what looking at every job finds.

use std::time::Duration;

use domain::id::{IntegrationId, OrderId, WebhookJobId, WebhookOutSubId};
use domain::time::Moment;
use domain::webhook_job::{JobState, WebhookJob};
use domain::webhook_out_sub::Ordering;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use store::{
    Change, JobFilter, JobQuery, NewOrder, NewOrderStage, NewWebhookOutSub, NextStep, OrderRef,
    Outcome, Search, Start, StoreError,
};

use self::naive::is_wanted;
use crate::orders::fields;
use crate::{Working, World, after, change, list, new_stage, new_sub};

mod naive;

const JOBS: usize = 400;
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
async fn fill(world: &World<impl Working>, mut chance: StdRng) -> Filled {
    let other = world.integrate("other").await;
    // Made before anybody wants to know of them.
    let orders = make_orders(world, other).await;
    let mut subs = Vec::new();
    for (integration, key) in [
        (world.integration, "sub-a"),
        (world.integration, "sub-b"),
        (other, "sub-a"),
    ] {
        let new = NewWebhookOutSub {
            ordering: Ordering::None,
            events: vec!["*".to_owned()],
            ..new_sub(integration, key)
        };
        subs.push(world.subscribe(new).await.id);
    }
    let mut jobs = Vec::new();
    let (mut outcomes, mut number) = (Vec::new(), 0);
    while jobs.len() < JOBS {
        number += 1;
        let made = report(world, other, &orders, number, &mut chance).await;
        for (integration, id, sub) in made {
            outcomes.extend(outcome(world, sub, id, &mut chance));
            jobs.push((integration, id));
        }
    }
    let recorded = world.store.record(outcomes.into()).await;
    recorded.expect("recorded");
    let mut shown = Vec::new();
    for (integration, id) in jobs {
        let job = world.store.webhook_job(integration, id).await;
        shown.push(job.expect("read").expect("a job").job);
    }
    shown.sort_unstable_by_key(|job| job.id);
    Filled {
        jobs: shown,
        subs,
        orders,
    }
}

/// What there is to be found.
struct Filled {
    jobs: Vec<WebhookJob>,
    subs: Vec<WebhookOutSubId>,
    orders: Vec<OrderId>,
}

/// Twenty orders, of which each fifth is the other integration's; some have an id of the order system, and some an address.
async fn make_orders(world: &World<impl Working>, other: IntegrationId) -> Vec<OrderId> {
    let mut orders = Vec::new();
    for number in 1..=20_usize {
        let street = format!("{{\"street\":\"{} Main Street\"}}", number % 4);
        let address = [("address", street.as_str())];
        let new = NewOrder {
            integration_id: integration_of(number, world.integration, other),
            external_order_id: (number % 3 > 0).then(|| format!("A{number}")),
            status: "new_request".to_owned(),
            event_slug: None,
            fields: fields(if number % 2 > 0 { &address } else { &[] }),
            idempotency: None,
        };
        let made = world.store.create_order(new, change(0)).await;
        orders.push(made.expect("made").record.id);
    }
    orders
}

fn integration_of(number: usize, here: IntegrationId, other: IntegrationId) -> IntegrationId {
    if number.is_multiple_of(5) {
        other
    } else {
        here
    }
}

type Made = (IntegrationId, WebhookJobId, WebhookOutSubId);

/// A change of any order, or a test, which has none.
async fn report(
    world: &World<impl Working>,
    other: IntegrationId,
    orders: &[OrderId],
    number: u64,
    chance: &mut StdRng,
) -> Vec<Made> {
    let place = chance.random_range(0..orders.len());
    let integration = integration_of(place + 1, world.integration, other);
    // Neighbours are a little out of order.
    let at = at(number) + Duration::from_secs(chance.random_range(0..30));
    if chance.random_bool(0.05) {
        let subs = world
            .store
            .webhook_out_subs(integration, None, list(10))
            .await;
        let sub = subs.expect("read").items[0].id;
        let change = Change { at, ..change(0) };
        let test = world.store.send_test(integration, sub, change).await;
        return vec![(integration, test.expect("a test").id, sub)];
    }
    let stage = NewOrderStage {
        order: OrderRef::Id(orders[place]),
        event_slug: EVENTS.choose(chance).copied().flatten().map(str::to_owned),
        at,
        ..new_stage(integration, "", STATUSES.choose(chance).expect("a status"))
    };
    let accepted = world.try_accept(stage).await.expect("accepted");
    let receipts = accepted.webhook_jobs.into_iter();
    receipts
        .map(|receipt| (integration, receipt.id, receipt.webhook_out_sub_id))
        .collect()
}

/// What becomes of a job, if anything does.
fn outcome(
    world: &World<impl Working>,
    sub: WebhookOutSubId,
    job: WebhookJobId,
    chance: &mut StdRng,
) -> Option<Outcome> {
    let next = match STATES.choose(chance)? {
        JobState::Delivered => NextStep::Delivered,
        JobState::Retrying => NextStep::Retry {
            at: at(1_000),
            passed: false,
        },
        JobState::Exhausted => NextStep::Exhausted,
        _ => return None,
    };
    let mut outcome = world.outcome(sub, job, 1, next, None);
    outcome.attempt.status_code = CODES.choose(chance).copied().flatten();
    Some(outcome)
}

fn at(number: u64) -> Moment {
    after(10 * number)
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

fn query(integration_id: IntegrationId, filled: &Filled, chance: &mut StdRng) -> JobQuery {
    let mut page = list(chance.random_range(1..=60));
    page.sort.descending = chance.random();
    page.search = chance.random_bool(0.4).then(|| {
        let count = chance.random_range(1..=6);
        Search {
            term: (*TERMS.choose(chance).expect("a term")).to_owned(),
            attributes: ATTRIBUTES.sample(chance, count).copied().collect(),
        }
    });
    let delivering = some(&[3, 5, 8].map(|place: usize| filled.jobs[place].id), chance);
    let mut states = some(STATES, chance);
    if !delivering.is_empty() {
        states.push(JobState::Delivering);
    }
    let moments: Vec<Moment> = some(&[at(50), at(200)], chance);
    JobQuery {
        integration_id,
        filter: JobFilter {
            states,
            subscriber_ids: some(&filled.subs, chance),
            subscriber_keys: texts(&["sub-a", "sub-b", "sub-c"], chance),
            endpoints: texts(&["https://sub-a.example.com/hook", "https://x"], chance),
            order_ids: some(&filled.orders[..5], chance),
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

/// Follows the cursors from the first page to the last, and compares the count of each.
async fn all_pages(
    world: &World<impl Working>,
    mut query: JobQuery,
) -> Result<(Vec<i64>, Vec<u64>), StoreError> {
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

pub async fn a_list_over_indexes_agrees_with_looking_at_every_job(world: &World<impl Working>) {
    let seed = 20_260_131;
    let filled = fill(world, StdRng::seed_from_u64(seed)).await;
    let mut chance = StdRng::seed_from_u64(seed + 1);
    let mut matches = 0;
    for number in 0..QUERIES {
        let query = query(world.integration, &filled, &mut chance);
        let mut expected: Vec<i64> = filled
            .jobs
            .iter()
            .filter(|job| is_wanted(&query, job))
            .map(|job| job.id.0)
            .collect();
        if query.list.sort.descending {
            expected.reverse();
        }
        matches += usize::from(!expected.is_empty());
        let context = format!("seed {seed}, query {number}: {query:?}");
        let (ids, counts) = all_pages(world, query).await.expect(&context);
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

pub async fn pages_by_number_skip_what_stands_before_them(world: &World<impl Working>) {
    let filled = fill(world, StdRng::seed_from_u64(7)).await;
    let mut query = query_all(world.integration);
    query.list.page.start = Start::Offset(10);
    let page = world.store.webhook_jobs(query).await.expect("a page");
    let expected = filled
        .jobs
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

/// The laws of this file.
#[macro_export]
macro_rules! webhook_job_lists_laws {
    ($test:ident) => {
        $test! {
            webhook_job_lists: a_list_over_indexes_agrees_with_looking_at_every_job,
            pages_by_number_skip_what_stands_before_them
        }
    };
}
