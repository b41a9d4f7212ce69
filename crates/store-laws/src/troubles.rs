//! What people and operators are told of a subscription's troubles, and the mails that wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering as Atomic};

use domain::health::{HealthState, LaneRecord, OffReason};
use domain::id::{WebhookJobId, WebhookOutSubId};
use domain::letter::About;
use domain::notification::{Notification, NotificationKind};
use domain::time::Moment;
use domain::webhook_out_sub::Ordering;
use store::{
    ListQuery, MAILS_WAITING_MAX, MailStep, NextStep, NotificationQuery, Outcome, PageRequest,
    Sort, Start, WaitingMail, WebhookOutSubChanges,
};

use crate::{Working, World, after, change};

const HOUR: u64 = 3_600;

fn changes(notify: bool, emails: &str) -> WebhookOutSubChanges {
    WebhookOutSubChanges {
        notify: Some(notify),
        notification_emails: Some(Some(emails.parse().expect("addresses"))),
        ..WebhookOutSubChanges::default()
    }
}

async fn told_sub(world: &World<impl Working>, notify: bool, emails: &str) -> WebhookOutSubId {
    let id = world.sub_in("crm", Ordering::Order).await;
    let changes = changes(notify, emails);
    let updated = world
        .store
        .update_webhook_out_sub(world.integration, id, changes, change(0));
    updated.await.expect("updated");
    id
}

async fn waiting(world: &World<impl Working>) -> Vec<WaitingMail> {
    let due = world
        .store
        .due_mails(after(1_000 * HOUR), MAILS_WAITING_MAX + 1);
    due.await.expect("mails").mails
}

async fn notifications(world: &World<impl Working>) -> Vec<Notification> {
    let query = NotificationQuery {
        kinds: Vec::new(),
        read: None,
        list: ListQuery {
            search: None,
            page: PageRequest {
                size: 50,
                start: Start::Offset(0),
            },
            sort: Sort {
                by: "id",
                descending: false,
            },
            count: false,
        },
    };
    let page = world.store.notifications(query).await.expect("a page");
    page.items
}

/// One attempt of a job that fails at `at`.
async fn fail(
    world: &World<impl Working>,
    sub: WebhookOutSubId,
    job: WebhookJobId,
    number: u32,
    at: Moment,
) {
    let next = NextStep::Retry { at, passed: false };
    record(world, sub, job, number, next, at, None).await;
}

async fn record(
    world: &World<impl Working>,
    sub: WebhookOutSubId,
    job: WebhookJobId,
    number: u32,
    next: NextStep,
    at: Moment,
    lane: Option<LaneRecord>,
) {
    let mut outcome: Outcome = world.outcome(sub, job, number, next, lane);
    outcome.attempt.started_at = at;
    outcome.attempt.message = Some("answered 500, success is 2xx".to_owned());
    let recorded = world.store.record(Arc::new([outcome]));
    recorded.await.expect("recorded");
}

async fn job(world: &World<impl Working>, order: &str) -> WebhookJobId {
    world.report(order, "scheduled").await;
    world.ready()[0]
}

pub async fn the_tenth_failure_is_mailed_to_each_address_once(world: &World<impl Working>) {
    let wakes = Arc::new(AtomicUsize::new(0));
    let counted = wakes.clone();
    let waker = Arc::new(move || {
        counted.fetch_add(1, Atomic::SeqCst);
    });
    world.store.own_mails(waker).await.expect("owned");
    let sub = told_sub(
        world,
        true,
        "ann@example.com, bob@example.com, ann@example.com",
    )
    .await;
    let job = job(world, "A").await;
    for number in 1..=12 {
        fail(world, sub, job, number, after(u64::from(number))).await;
        assert_eq!(wakes.load(Atomic::SeqCst), usize::from(number >= 10));
    }
    let mails = waiting(world).await;
    let addresses: Vec<&str> = mails.iter().map(|mail| mail.letter.to.as_str()).collect();
    assert_eq!(addresses, ["ann@example.com", "bob@example.com"]);
    assert_ne!(mails[0].message_id, mails[1].message_id);
    let About::KeepsFailing {
        sub: named,
        job: told,
        jobs: 1,
    } = &mails[0].letter.about
    else {
        panic!("{mails:?}");
    };
    assert_eq!((named.id, named.integration.as_str()), (Some(sub), "ACME"));
    assert_eq!(
        (told.id, told.attempt_count, told.exhausted),
        (job, 10, false)
    );
    assert_eq!(told.last_fault, "answered 500, success is 2xx");
    let payload: serde_json::Value = serde_json::from_str(&told.payload).expect("JSON");
    assert!(payload["order_stage_id"].is_i64(), "{payload}");
    assert!(notifications(world).await.is_empty());
}

pub async fn within_six_hours_others_count_and_without_notify_nobody_is_mailed(
    world: &World<impl Working>,
) {
    let sub = told_sub(world, true, "ann@example.com").await;
    for (order, hours) in [("A", 0), ("B", 1), ("C", 5), ("D", 6), ("E", 7)] {
        let job = job(world, order).await;
        fail(world, sub, job, 10, after(hours * HOUR)).await;
    }
    let jobs = |mails: Vec<WaitingMail>| -> Vec<u32> {
        let jobs = mails.iter().map(|mail| match &mail.letter.about {
            About::KeepsFailing { jobs, .. } => *jobs,
            about => panic!("{about:?}"),
        });
        jobs.collect()
    };
    assert_eq!(jobs(waiting(world).await), [1, 3]);
    let silent = changes(false, "ann@example.com");
    let updated = world
        .store
        .update_webhook_out_sub(world.integration, sub, silent, change(0));
    updated.await.expect("updated");
    let job = job(world, "F").await;
    fail(world, sub, job, 10, after(20 * HOUR)).await;
    assert_eq!(jobs(waiting(world).await), [1, 3]);
}

pub async fn exhausted_jobs_are_told_to_the_operators_and_earlier_ones_to_the_people(
    world: &World<impl Working>,
) {
    let sub = told_sub(world, true, "ann@example.com").await;
    for (order, number) in [("A", 3), ("B", 40)] {
        let job = job(world, order).await;
        record(world, sub, job, number, NextStep::Exhausted, after(1), None).await;
    }
    let mails = waiting(world).await;
    assert_eq!(mails.len(), 1, "the tenth failure of B was told long ago");
    let raised = notifications(world).await;
    assert_eq!(raised.len(), 1);
    assert_eq!(raised[0].kind, NotificationKind::JobExhausted);
    assert_eq!(raised[0].about, format!("webhook_out_sub:{sub}"));
    assert_eq!(
        (raised[0].webhook_out_sub_id, raised[0].times),
        (Some(sub), 2)
    );
}

pub async fn a_test_is_nobodys_trouble(world: &World<impl Working>) {
    let sub = told_sub(world, true, "ann@example.com").await;
    let test = world.store.send_test(world.integration, sub, change(0));
    let job = test.await.expect("a test").id;
    record(world, sub, job, 1, NextStep::Exhausted, after(1), None).await;
    assert!(waiting(world).await.is_empty() && notifications(world).await.is_empty());
}

pub async fn switch_offs_and_the_ends_of_troubles_are_mailed_and_blips_are_not(
    world: &World<impl Working>,
) {
    let sub = told_sub(world, true, "ann@example.com").await;
    let lane = |state, failing: bool, reason, recovering| LaneRecord {
        state,
        failing_since: failing.then(|| after(0)),
        reason,
        recovering,
        ..LaneRecord::default()
    };
    let healthy = lane(HealthState::Healthy, false, None, false);
    let failing = lane(HealthState::Healthy, true, None, false);
    let resting = lane(HealthState::Resting, true, None, false);
    let off = lane(HealthState::Off, true, Some(OffReason::Gone), false);
    let job = job(world, "A").await;
    for (number, record_of) in [failing, healthy.clone(), resting, healthy, off]
        .into_iter()
        .enumerate()
    {
        let number = u32::try_from(number).expect("small") + 1;
        let at = after(u64::from(number));
        let next = NextStep::Retry { at, passed: false };
        record(world, sub, job, number, next, at, Some(record_of)).await;
    }
    let abouts = |mails: &[WaitingMail]| -> Vec<String> {
        let abouts = mails.iter().map(|mail| format!("{:?}", mail.letter.about));
        abouts.collect()
    };
    assert_eq!(abouts(&waiting(world).await), ["Recovered", "SwitchedOff"]);
    let on = WebhookOutSubChanges {
        active: Some(true),
        ..WebhookOutSubChanges::default()
    };
    let updated = world
        .store
        .update_webhook_out_sub(world.integration, sub, on, change(0));
    assert!(updated.await.expect("on").health.recovering);
    let healthy = Some(LaneRecord::default());
    record(world, sub, job, 6, NextStep::Delivered, after(9), healthy).await;
    assert_eq!(
        abouts(&waiting(world).await),
        ["Recovered", "SwitchedOff", "Recovered"]
    );
}

pub async fn a_mail_waits_until_it_is_sent_or_given_up_with_a_word_to_the_operators(
    world: &World<impl Working>,
) {
    let sub = told_sub(world, true, "ann@example.com,bob@example.com").await;
    let job = job(world, "A").await;
    fail(world, sub, job, 10, after(0)).await;
    let mails = waiting(world).await;
    let (ann, bob) = (mails[0].id, mails[1].id);
    let retry = MailStep::Retry { at: after(100) };
    world.store.record_mail(ann, retry).await.expect("recorded");
    world
        .store
        .record_mail(bob, MailStep::Sent)
        .await
        .expect("recorded");
    let due = world.store.due_mails(after(99), 10).await.expect("mails");
    assert!(due.mails.is_empty());
    assert_eq!(due.next_due_at, Some(after(100)));
    let due = world.store.due_mails(after(100), 10).await.expect("mails");
    assert_eq!((due.mails[0].id, due.mails[0].attempts), (ann, 1));
    assert_eq!(due.mails[0].message_id, mails[0].message_id);
    let give_up = MailStep::GiveUp {
        reason: "no such mailbox".to_owned(),
        at: after(101),
    };
    for _ in 0..2 {
        world
            .store
            .record_mail(ann, give_up.clone())
            .await
            .expect("recorded");
    }
    assert!(waiting(world).await.is_empty());
    let raised = notifications(world).await;
    assert_eq!((raised.len(), raised[0].times), (1, 1));
    assert_eq!(raised[0].kind, NotificationKind::MailFailed);
    assert_eq!(
        (raised[0].about.as_str(), raised[0].webhook_out_sub_id),
        ("ann@example.com", Some(sub))
    );
    assert!(raised[0].message.ends_with("no such mailbox"));
}

pub async fn a_mail_that_cannot_be_read_does_not_hold_up_the_others(world: &World<impl Working>) {
    let sub = told_sub(world, true, "ann@example.com").await;
    let first = job(world, "A").await;
    fail(world, sub, first, 10, after(0)).await;
    let spoilt = "update letters set about = (select signing_secret from webhook_out_subs)";
    world.raw.execute(spoilt).await;
    let second = job(world, "B").await;
    fail(world, sub, second, 10, after(10 * HOUR)).await;
    let due = world
        .store
        .due_mails(after(10 * HOUR), 10)
        .await
        .expect("mails");
    assert_eq!((due.mails.len(), due.unreadable.len()), (1, 1));
}

pub async fn the_oldest_are_dropped_when_too_many_wait(world: &World<impl Working>) {
    let sub = told_sub(world, true, "ann@example.com,bob@example.com").await;
    let job = job(world, "A").await;
    let fill = format!(
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < {MAILS_WAITING_MAX}) \
         insert into mails (letter_id, address, message_id, attempts, next_attempt_at, created_at) \
         select 0, 'x@example.com', 'id', 0, 0, 0 from n"
    );
    world.raw.execute(&fill).await;
    fail(world, sub, job, 10, after(0)).await;
    let max = i64::try_from(MAILS_WAITING_MAX).expect("small");
    let count = "select count(*) from mails";
    assert_eq!(world.raw.count(count).await, max);
    let new = "select count(*) from mails where letter_id > 0";
    assert_eq!(world.raw.count(new).await, 2);
    assert_eq!(notifications(world).await[0].about, "outbox");
}

/// The laws of this file.
#[macro_export]
macro_rules! troubles_laws {
    ($test:ident) => {
        $test! {
            troubles: the_tenth_failure_is_mailed_to_each_address_once,
            within_six_hours_others_count_and_without_notify_nobody_is_mailed,
            exhausted_jobs_are_told_to_the_operators_and_earlier_ones_to_the_people,
            a_test_is_nobodys_trouble,
            switch_offs_and_the_ends_of_troubles_are_mailed_and_blips_are_not,
            a_mail_waits_until_it_is_sent_or_given_up_with_a_word_to_the_operators,
            a_mail_that_cannot_be_read_does_not_hold_up_the_others,
            the_oldest_are_dropped_when_too_many_wait
        }
    };
}
