//! Payload views of one's own, as changes are rendered by them: revisions, names, and what is sent when one fails.

use domain::id::IntegrationId;
use domain::notification::NotificationKind;
use domain::payload_render_view::PayloadRenderView;
use domain::webhook_out_sub::WebhookOutSub;
use serde_json::Value;
use store::{
    Idempotency, NewPayloadRenderView, NotificationQuery, PayloadRenderViewChanges,
    WebhookOutSubChanges,
};

use crate::{Working, World, change, list, refused};

/// Fails on orders that are not the sample's.
const FAILING: &str = "{\"n\": {{ 1 if order.id == 0 else 1 + \"a\" }}}";

impl<S: Working> World<S> {
    fn view(&self, key: &str, template: &str) -> NewPayloadRenderView {
        NewPayloadRenderView {
            integration_id: Some(self.integration),
            key: key.parse().expect("a key"),
            name: key.to_uppercase(),
            description: None,
            template: template.parse().expect("a template"),
            idempotency: None,
        }
    }

    async fn save(&self, new: NewPayloadRenderView) -> PayloadRenderView {
        let made = self.store.create_payload_render_view(new, change(1)).await;
        made.expect("made").record
    }

    async fn revise(&self, view: &PayloadRenderView, template: &str) -> PayloadRenderView {
        let changes = PayloadRenderViewChanges {
            template: Some(template.parse().expect("a template")),
            ..PayloadRenderViewChanges::default()
        };
        let place = view.integration_id;
        let revised = self
            .store
            .update_payload_render_view(place, view.id, changes, change(2));
        revised.await.expect("revised")
    }

    async fn subscribe_to(&self, key: &str, view: &str) -> WebhookOutSub {
        let mut new = self.sub(key);
        new.payload_render_view = Some(view.parse().expect("a name"));
        self.subscribe(new).await
    }

    /// What each subscription is sent of a change, with why its own view failed.
    async fn sent(&self, order: &str) -> Vec<(Value, Option<String>)> {
        let accepted = self.report(order, "scheduled").await;
        let mut sent = Vec::new();
        for receipt in accepted.webhook_jobs {
            let detail = self.store.webhook_job(self.integration, receipt.id).await;
            let detail = detail.expect("read").expect("a job");
            let payload = serde_json::from_slice(detail.payload.as_deref().expect("a payload"))
                .expect("JSON");
            sent.push((payload, detail.job.payload_render_view_failed));
        }
        sent
    }

    /// The member `n` of what each subscription is sent.
    async fn numbers(&self, order: &str) -> Vec<i64> {
        let sent = self.sent(order).await;
        sent.iter()
            .map(|(payload, _)| payload["n"].as_i64().expect("a number"))
            .collect()
    }
}

pub async fn subscriptions_follow_the_newest_revision_or_pin_one(world: &World<impl Working>) {
    let view = world.save(world.view("crm", "{\"n\": 1}")).await;
    world.subscribe_to("follows", "crm").await;
    world.subscribe_to("pins", "crm@1").await;
    assert_eq!(world.numbers("A").await, [1, 1]);
    let view = world.revise(&view, "{\"n\": 2}").await;
    assert_eq!(view.revision, 2);
    assert_eq!(world.numbers("B").await, [2, 1]);
    // The same text is no revision.
    assert_eq!(world.revise(&view, "{\"n\": 2}").await.revision, 2);
    for (revision, expected) in [(None, "{\"n\": 2}"), (Some(1), "{\"n\": 1}")] {
        let shown = world
            .store
            .payload_render_view(Some(world.integration), view.id, revision);
        assert_eq!(
            shown.await.expect("read").expect("shown").template,
            expected
        );
    }
    let shown = world
        .store
        .payload_render_view(Some(world.integration), view.id, Some(3));
    assert!(shown.await.expect("read").is_none());
    assert_eq!(world.raw.count("select count(*) from payloads").await, 3);
    let trail = world.audited("payload_render_view").await;
    assert_eq!(trail.len(), 3);
}

pub async fn subscribers_of_one_revision_share_a_payload(world: &World<impl Working>) {
    world.save(world.view("crm", "{\"n\": 1}")).await;
    world.subscribe_to("a", "crm").await;
    world.subscribe_to("b", "crm@1").await;
    world.subscribe_to("c", "order_v3").await;
    world.sent("A").await;
    assert_eq!(world.raw.count("select count(*) from payloads").await, 2);
    let sql = "select count(*) from payloads where view = 'crm@1'";
    assert_eq!(world.raw.count(sql).await, 1);
}

pub async fn a_view_of_the_integration_comes_before_one_for_all(world: &World<impl Working>) {
    let mut common = world.view("crm", "{\"n\": 1}");
    common.integration_id = None;
    let common = world.save(common).await;
    world.subscribe_to("a", "crm").await;
    assert_eq!(world.numbers("A").await, [1]);
    world.revise(&common, "{\"n\": 2}").await;
    assert_eq!(world.numbers("B").await, [2]);
    world.save(world.view("crm", "{\"n\": 3}")).await;
    assert_eq!(world.numbers("C").await, [3]);
    let views = world
        .store
        .payload_render_views(Some(world.integration), list(50))
        .await;
    assert_eq!(views.expect("a list").items.len(), 2);
    let elsewhere = world.integrate("other").await;
    let views = world
        .store
        .payload_render_views(Some(elsewhere), list(50))
        .await;
    assert_eq!(
        views.expect("a list").items,
        [world.of_all(common.id.0).await]
    );
}

impl<S: Working> World<S> {
    async fn of_all(&self, id: i64) -> PayloadRenderView {
        let id = domain::id::PayloadRenderViewId(id);
        let shown = self.store.payload_render_view(None, id, None).await;
        shown.expect("read").expect("a view").view
    }
}

pub async fn a_failing_view_gives_way_to_the_default_and_tells_it(world: &World<impl Working>) {
    let view = world.save(world.view("crm", FAILING)).await;
    world.subscribe_to("own", "crm").await;
    world.subscribe(world.sub("default")).await;
    for order in ["A", "B"] {
        let sent = world.sent(order).await;
        assert_eq!(sent[0].0, sent[1].0);
        assert_eq!(sent[0].0["external_order_id"], order);
        let failed = sent[0].1.as_deref().expect("why");
        assert!(
            failed.starts_with("the view crm@1 failed: line 1: invalid operation"),
            "{failed}"
        );
        assert_eq!(sent[1].1, None);
    }
    assert_eq!(world.raw.count("select count(*) from payloads").await, 2);
    let query = NotificationQuery {
        kinds: vec![NotificationKind::PayloadRenderViewFailed],
        read: None,
        list: list(50),
    };
    let raised = world
        .store
        .notifications(query)
        .await
        .expect("a list")
        .items;
    assert_eq!((raised.len(), raised[0].times), (1, 2));
    assert_eq!(raised[0].about, format!("payload_render_view:{}", view.id));
    assert!(raised[0].message.contains("crm@1"), "{}", raised[0].message);
    // Mended, it is used again.
    world.revise(&view, "{\"n\": 4}").await;
    assert_eq!(
        world.sent("C").await[0],
        (serde_json::json!({"n": 4}), None)
    );
}

pub async fn a_test_is_rendered_by_the_view_too(world: &World<impl Working>) {
    world
        .save(world.view("crm", "{\"n\": {{ order.id }}}"))
        .await;
    let sub = world.subscribe_to("a", "crm").await;
    let job = world
        .store
        .send_test(world.integration, sub.id, change(3))
        .await
        .expect("a job");
    let detail = world.store.webhook_job(world.integration, job.id).await;
    assert_eq!(
        detail.expect("read").expect("a job").payload.as_deref(),
        Some(&b"{\"n\": 0}"[..])
    );
}

pub async fn what_subscriptions_name_is_always_there(world: &World<impl Working>) {
    let view = world.save(world.view("crm", "{}")).await;
    for (name, is_known) in [
        ("crm", true),
        ("crm@1", true),
        ("crm@2", false),
        ("cr", false),
        ("crm2@1", false),
    ] {
        let mut new = world.sub("a");
        new.payload_render_view = Some(name.parse().expect("a name"));
        let made = world.store.create_webhook_out_sub(new, change(0)).await;
        let id = match made {
            Ok(made) => made.record.sub.id,
            Err(rejection) => {
                assert!(!is_known, "{name}");
                assert_eq!(refused::<()>(Err(rejection)), ["payload_render_view"]);
                continue;
            }
        };
        let elsewhere = WebhookOutSubChanges {
            payload_render_view: Some(Some("crm@7".parse().expect("a name"))),
            ..WebhookOutSubChanges::default()
        };
        let changed = world
            .store
            .update_webhook_out_sub(world.integration, id, elsewhere, change(0))
            .await;
        assert_eq!(refused(changed)[0], "payload_render_view");
        let renamed = PayloadRenderViewChanges {
            key: Some("other".parse().expect("a key")),
            ..PayloadRenderViewChanges::default()
        };
        let place = Some(world.integration);
        let outcome = world
            .store
            .update_payload_render_view(place, view.id, renamed, change(1))
            .await;
        assert_eq!(refused(outcome)[0], "key");
        world
            .store
            .delete_webhook_out_sub(world.integration, id, change(2))
            .await
            .expect("deleted");
    }
    let renamed = PayloadRenderViewChanges {
        key: Some("other".parse().expect("a key")),
        name: Some("Other".to_owned()),
        description: Some(Some("For others.".to_owned())),
        template: None,
    };
    let view = world.store.update_payload_render_view(
        Some(world.integration),
        view.id,
        renamed,
        change(3),
    );
    let view = view.await.expect("renamed");
    assert_eq!(
        (view.key.as_str(), view.name.as_str(), view.revision),
        ("other", "Other", 1)
    );
    world.subscribe_to("b", "other").await;
}

pub async fn keys_are_unique_in_their_place_and_pins_keep_their_view(world: &World<impl Working>) {
    let mut common = world.view("crm", "{}");
    common.integration_id = None;
    world.save(common.clone()).await;
    let outcome = world
        .store
        .create_payload_render_view(common, change(1))
        .await;
    assert_eq!(refused(outcome)[0], "key");
    world.subscribe_to("pins", "crm@1").await;
    let outcome = world
        .store
        .create_payload_render_view(world.view("crm", "{}"), change(1))
        .await;
    assert_eq!(refused(outcome)[0], "key");
    let mut nowhere = world.view("x", "{}");
    nowhere.integration_id = Some(IntegrationId(999));
    let outcome = world
        .store
        .create_payload_render_view(nowhere, change(1))
        .await;
    assert_eq!(refused(outcome)[0], "integration_id");
    let mut again = world.view("again", "{}");
    again.idempotency = Some(Idempotency {
        key: "k".to_owned(),
        request_hash: [1; 32],
    });
    let first = world.save(again.clone()).await;
    let second = world
        .store
        .create_payload_render_view(again, change(2))
        .await
        .expect("replayed");
    assert!(second.replayed);
    assert_eq!(second.record, first);
}

/// The laws of this file.
#[macro_export]
macro_rules! rendering_laws {
    ($test:ident) => {
        $test! {
            rendering: subscriptions_follow_the_newest_revision_or_pin_one,
            subscribers_of_one_revision_share_a_payload,
            a_view_of_the_integration_comes_before_one_for_all,
            a_failing_view_gives_way_to_the_default_and_tells_it,
            a_test_is_rendered_by_the_view_too,
            what_subscriptions_name_is_always_there,
            keys_are_unique_in_their_place_and_pins_keep_their_view
        }
    };
}
