//! Subscriptions: made, changed, found, deleted.

use domain::id::{IntegrationId, WebhookOutSubId};
use domain::webhook_out_sub::{Ordering, WEBHOOK_OUT_SUBS_MAX, WebhookOutSub};
use store::{Idempotency, NewWebhookOutSub, WebhookOutSubChanges};

use crate::lanes::lane_of;
use crate::{Event, Working, World, after, change, new_stage, refused, searched};

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

pub(crate) async fn update(
    world: &World<impl Working>,
    id: WebhookOutSubId,
    changes: WebhookOutSubChanges,
) -> Result<WebhookOutSub, store::Rejection> {
    let updated = world
        .store
        .update_webhook_out_sub(world.integration, id, changes, change(60));
    updated.await
}

pub async fn a_subscription_is_shown_as_it_was_made_and_its_lane_is_told(
    world: &World<impl Working>,
) {
    let new = NewWebhookOutSub {
        statuses: texts(&["scheduled", "hold"]),
        events: texts(&["*"]),
        notification_emails: Some(
            "ann@example.com, bob@example.com"
                .parse()
                .expect("addresses"),
        ),
        success_code: Some("200,202".parse().expect("codes")),
        payload_render_view: Some("thin".parse().expect("a name")),
        notify: true,
        ordering: Ordering::Subscription,
        timeout_seconds: Some(7),
        max_in_flight: Some(9),
        ..world.sub("a")
    };
    let made = world.subscribe(new).await;
    let shown = world
        .store
        .webhook_out_sub(world.integration, made.id)
        .await;
    let shown = shown.expect("read").expect("there");
    let json = |sub: &WebhookOutSub| serde_json::to_string(sub).expect("JSON");
    assert_eq!(json(&shown), json(&made));
    assert_eq!(world.told.take(), [Event::Changed(made.id)]);
    let lane = lane_of(world, made.id).await.expect("a lane");
    assert_eq!(json(&lane.sub), json(&made));
    assert_eq!(lane.secrets.current.as_bytes(), [3; 32]);
    let told =
        "select count(*) from audit_events where after like '%whsec%' or before like '%whsec%'";
    assert_eq!(world.raw.count(told).await, 0);
}

pub async fn everything_that_is_wrong_is_refused_together(world: &World<impl Working>) {
    world.subscribe(world.sub("a")).await;
    let bad = NewWebhookOutSub {
        statuses: texts(&["scheduled", "sheduled", "*"]),
        events: texts(&["order.nothing"]),
        notify: true,
        payload_render_view: Some("order_v9".parse().expect("a name")),
        ..world.sub("a")
    };
    let attrs = refused(world.store.create_webhook_out_sub(bad, change(0)).await);
    let expected = [
        "key",
        "statuses[1]",
        "events[0]",
        "payload_render_view",
        "notification_emails",
    ];
    assert_eq!(attrs, expected);
    let nowhere = NewWebhookOutSub {
        integration_id: IntegrationId(999),
        ..world.sub("b")
    };
    let attrs = refused(world.store.create_webhook_out_sub(nowhere, change(0)).await);
    assert_eq!(attrs, ["integration_id"]);
    assert_eq!(
        world
            .raw
            .count("select count(*) from webhook_out_subs")
            .await,
        1
    );
}

pub async fn an_integration_has_only_so_many(world: &World<impl Working>) {
    let first = world.subscribe(world.sub("first")).await;
    let fill = format!(
        "with recursive n (n) as (select 2 union all select n + 1 from n where n < {WEBHOOK_OUT_SUBS_MAX}) \
         insert into webhook_out_subs (integration_id, key, name, callback_url, statuses, events, \
         active, notify, version, ordering, signing_secret, created_at, updated_at) \
         select integration_id, 'k' || n, name, callback_url, statuses, events, active, notify, \
         version, ordering, signing_secret, 0, 0 from webhook_out_subs, n"
    );
    world.raw.execute(&fill).await;
    let one_more = world
        .store
        .create_webhook_out_sub(world.sub("more"), change(0))
        .await;
    assert_eq!(refused(one_more), ["integration_id"]);
    let deleted = world
        .store
        .delete_webhook_out_sub(world.integration, first.id, change(1))
        .await;
    deleted.expect("deleted");
    world.subscribe(world.sub("more")).await;
}

pub async fn the_same_request_is_answered_as_the_first_time_for_a_week(
    world: &World<impl Working>,
) {
    let new = |hash: u8, key: &str| NewWebhookOutSub {
        idempotency: Some(Idempotency {
            key: "once".to_owned(),
            request_hash: [hash; 32],
        }),
        ..world.sub(key)
    };
    let create = |new, at| world.store.create_webhook_out_sub(new, change(at));
    let week = 7 * 24 * 60 * 60;
    let first = create(new(1, "a"), 0).await.expect("made");
    let again = create(new(1, "a"), week - 1).await.expect("answered");
    assert!(!first.replayed && again.replayed);
    assert_eq!(again.record.signing_secret, first.record.signing_secret);
    assert_eq!(again.record.sub.id, first.record.sub.id);
    assert_eq!(refused(create(new(2, "b"), 1).await), ["idempotency_key"]);
    let later = create(new(2, "b"), week).await.expect("made");
    assert!(!later.replayed);
    assert_eq!(
        world
            .raw
            .count("select count(*) from idempotency_keys")
            .await,
        1
    );
}

pub async fn an_update_changes_what_it_names_and_clears_what_it_says_to(
    world: &World<impl Working>,
) {
    let new = NewWebhookOutSub {
        success_code: Some("202".parse().expect("a code")),
        timeout_seconds: Some(7),
        ..world.sub("a")
    };
    let before = world.subscribe(new).await;
    world.told.take();
    let changes = WebhookOutSubChanges {
        name: Some("New".to_owned()),
        success_code: Some(None),
        statuses: Some(Vec::new()),
        ..WebhookOutSubChanges::default()
    };
    let after_it = update(world, before.id, changes).await.expect("changed");
    assert_eq!(
        (after_it.name.as_str(), &after_it.success_code),
        ("New", &None)
    );
    assert_eq!(
        (after_it.key, after_it.timeout_seconds),
        (before.key, Some(7))
    );
    assert_eq!(after_it.updated_at, after(60));
    assert_eq!(world.told.take(), [Event::Changed(before.id)]);
    let accepted = world.report("A", "scheduled").await;
    assert!(
        accepted.webhook_jobs.is_empty(),
        "matching knows of the change at once"
    );
}

pub async fn an_update_refuses_what_a_create_would(world: &World<impl Working>) {
    let a = world.subscribe(world.sub("a")).await;
    let b = world.subscribe(world.sub("b")).await;
    let changes = WebhookOutSubChanges {
        key: Some("a".to_owned()),
        events: Some(texts(&["nothing"])),
        notify: Some(true),
        ..WebhookOutSubChanges::default()
    };
    let attrs = refused(update(world, b.id, changes).await);
    assert_eq!(attrs, ["key", "events[0]", "notification_emails"]);
    let own_key = WebhookOutSubChanges {
        key: Some("a".to_owned()),
        ..WebhookOutSubChanges::default()
    };
    assert!(update(world, a.id, own_key.clone()).await.is_ok());
    let other = world.integrate("other").await;
    let foreign = world
        .store
        .update_webhook_out_sub(other, a.id, own_key, change(1))
        .await;
    assert_eq!(refused(foreign), ["id"]);
}

pub async fn a_deleted_subscription_frees_its_key_and_keeps_its_history(
    world: &World<impl Working>,
) {
    let sub = world.subscribe(world.sub("a")).await;
    let (job, _) = world.job("A", "ordered").await;
    world.told.take();
    let deleted = world
        .store
        .delete_webhook_out_sub(world.integration, sub.id, change(1))
        .await;
    assert!(!deleted.expect("deleted").active);
    assert_eq!(world.told.take(), [Event::Closed(sub.id)]);
    let shown = world.store.webhook_out_sub(world.integration, sub.id).await;
    assert!(shown.expect("read").is_none());
    assert!(lane_of(world, sub.id).await.is_none());
    let kept = world.store.webhook_job(world.integration, job).await;
    let kept = kept.expect("read").expect("kept").job;
    assert_eq!(
        (kept.state.name(), kept.finished_at),
        ("canceled", Some(after(1)))
    );
    let again = world
        .store
        .delete_webhook_out_sub(world.integration, sub.id, change(2))
        .await;
    assert_eq!(refused(again), ["id"]);
    let successor = world.subscribe(world.sub("a")).await;
    assert_ne!(successor.id, sub.id);
}

pub async fn a_long_backlog_is_canceled_in_steps_until_none_waits(world: &World<impl Working>) {
    let sub = world.subscribe(world.sub("a")).await;
    let stages =
        (0..2_500).map(|order| new_stage(world.integration, &order.to_string(), "ordered"));
    for accepted in world.store.accept(stages.collect()).await {
        accepted.expect("accepted");
    }
    let other = world.subscribe(world.sub("b")).await;
    world.report("A", "ordered").await;
    let store = &world.store;
    let deleted = store.delete_webhook_out_sub(world.integration, sub.id, change(1));
    deleted.await.expect("deleted");
    let waiting = "select count(*) from webhook_jobs where finished_at is null";
    assert_eq!(
        world.raw.count(waiting).await,
        1,
        "only that of {}",
        other.id
    );
}

pub async fn subscriptions_are_found_by_prefix_and_by_being_active(world: &World<impl Working>) {
    let a = world.subscribe(world.sub("alpha")).await;
    let b = world.subscribe(world.sub("alphabet")).await;
    let gone = world.subscribe(world.sub("alpha-gone")).await;
    let deleted = world
        .store
        .delete_webhook_out_sub(world.integration, gone.id, change(1))
        .await;
    deleted.expect("deleted");
    let off = WebhookOutSubChanges {
        active: Some(false),
        ..WebhookOutSubChanges::default()
    };
    let updated = world
        .store
        .update_webhook_out_sub(world.integration, b.id, off, change(1))
        .await;
    updated.expect("off");
    let cases = [
        ("alpha", "key", None, vec![a.id, b.id]),
        ("alpha", "key", Some(true), vec![a.id]),
        ("alpha", "key", Some(false), vec![b.id]),
        ("alphab", "key", None, vec![b.id]),
        ("lpha", "key", None, vec![]),
        ("Name of", "name", None, vec![a.id, b.id]),
        ("https://alpha.", "callback_url", None, vec![a.id]),
    ];
    for (term, attribute, active, expected) in cases {
        let query = searched(term, &[attribute]);
        let page = world
            .store
            .webhook_out_subs(world.integration, active, query)
            .await;
        let found: Vec<_> = page
            .expect("a page")
            .items
            .iter()
            .map(|sub| sub.id)
            .collect();
        assert_eq!(found, expected, "{term} {attribute} {active:?}");
    }
}

/// The laws of this file.
#[macro_export]
macro_rules! webhook_out_subs_laws {
    ($test:ident) => {
        $test! {
            webhook_out_subs: a_subscription_is_shown_as_it_was_made_and_its_lane_is_told,
            everything_that_is_wrong_is_refused_together,
            an_integration_has_only_so_many,
            the_same_request_is_answered_as_the_first_time_for_a_week,
            an_update_changes_what_it_names_and_clears_what_it_says_to,
            an_update_refuses_what_a_create_would,
            a_deleted_subscription_frees_its_key_and_keeps_its_history,
            a_long_backlog_is_canceled_in_steps_until_none_waits,
            subscriptions_are_found_by_prefix_and_by_being_active
        }
    };
}
