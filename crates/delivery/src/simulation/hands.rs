//! What people and the order system do.

use std::time::Duration;

use domain::id::{OrderId, WebhookJobId, WebhookOutSubId};
use domain::rate_limit::RateLimit;
use domain::retry::RetryPolicy;
use domain::webhook_out_sub::Ordering;
use rand::RngExt;
use rand::rngs::StdRng;

use super::schedule::Step;
use super::work::{Change, Policies, Work};
use super::world::World;

/// Pieces of work that wait before nobody asks for more: a story is no longer for being full.
const WORKS_WAITING_MAX: usize = 20;

/// Somebody asks for something, or for a lot of it.
pub(super) fn draw(world: &mut World) -> Option<Step> {
    if world.works.len() >= WORKS_WAITING_MAX {
        return None;
    }
    Some(draw_work(world))
}

fn draw_work(world: &mut World) -> Step {
    let now = world.now;
    match world.chance.random_range(0..60) {
        0 => {
            let changes = world.chance.random_range(3..12);
            return Step::Asks((0..changes).map(|_| accept(world)).collect());
        }
        1 => {
            let sub = any_sub(world);
            let waiting = sub.into_iter().flat_map(|sub| world.store.waiting(sub));
            return Step::Asks(waiting.map(|job| Work::Cancel(job.id, now)).collect());
        }
        _ => {}
    }
    if !world.chance.random_bool(world.climate.by_hand) {
        return Step::Asks(vec![accept(world)]);
    }
    let work = match world.chance.random_range(0..32) {
        0..3 => create(world),
        3..8 => any_job(world).map(|job| Work::Cancel(job, now)),
        8..16 => any_job(world).map(|job| Work::Retry(job, now)),
        16..18 => any_sub(world).map(|sub| Work::SendTest(sub, now)),
        18..31 => change(world),
        _ => any_sub(world).map(Work::Delete),
    };
    Step::Asks(vec![work.unwrap_or_else(|| accept(world))])
}

fn accept(world: &mut World) -> Work {
    if world.store.subs.is_empty()
        && let Some(create) = create(world)
    {
        return create;
    }
    Work::Accept {
        order: OrderId(world.chance.random_range(1..=world.climate.orders)),
        is_big: world.chance.random_bool(world.climate.big),
        at: world.now,
    }
}

fn create(world: &mut World) -> Option<Work> {
    let has_room = world.store.subs.len() < world.climate.subs_max;
    has_room.then(|| Work::Create(policies(&mut world.chance)))
}

fn change(world: &mut World) -> Option<Work> {
    let id = any_sub(world)?;
    let active = world.store.subs.get(&id)?.sub.active;
    let change = match world.chance.random_range(0..5) {
        0..3 if !active => Change::Active(true),
        0 => Change::Active(false),
        1 | 2 => Change::Ordering(ordering(&mut world.chance)),
        _ => Change::Policies(policies(&mut world.chance)),
    };
    Some(Work::Update(id, change, world.now))
}

pub(super) fn any_sub(world: &mut World) -> Option<WebhookOutSubId> {
    let subs = world.store.subs.len();
    let index = (subs > 0).then(|| world.chance.random_range(0..subs))?;
    world.store.subs.keys().nth(index).copied()
}

/// Any job, but rather one that waits.
fn any_job(world: &mut World) -> Option<WebhookJobId> {
    let is_any = world.chance.random_bool(0.3);
    let jobs = world.store.jobs.iter();
    let jobs = jobs.filter(|job| is_any || !job.state.is_final());
    let jobs: Vec<WebhookJobId> = jobs.map(|job| job.id).collect();
    let index = (!jobs.is_empty()).then(|| world.chance.random_range(0..jobs.len()))?;
    Some(jobs[index])
}

fn ordering(chance: &mut StdRng) -> Ordering {
    match chance.random_range(0..5) {
        0..3 => Ordering::Order,
        3 => Ordering::Subscription,
        _ => Ordering::None,
    }
}

fn policies(chance: &mut StdRng) -> Policies {
    let retry = |schedule: &[u64], give_up: u64| {
        let schedule = schedule.iter().copied().map(Duration::from_millis);
        RetryPolicy::new(schedule.collect(), Duration::from_secs(give_up)).ok()
    };
    Policies {
        ordering: ordering(chance),
        supersede: chance.random_bool(0.2),
        max_in_flight: [None, None, Some(1), Some(2), Some(8)][chance.random_range(0..5)],
        retry_policy: match chance.random_range(0..4) {
            0 => retry(&[100], 1),
            1 => retry(&[1_000, 20_000], 600),
            _ => None,
        },
        rate_limit: chance.random_bool(0.3).then(|| RateLimit {
            per_second: [0.1, 1.0, 7.0][chance.random_range(0..3)],
            burst: chance.random_range(1..4),
        }),
    }
}
