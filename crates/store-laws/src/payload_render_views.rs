//! Payload views of one's own: revisions and names. What they render is told where changes are accepted.

use domain::id::{IntegrationId, PayloadRenderViewId};
use domain::payload_render_view::PayloadRenderView;
use store::{
    Idempotency, Integrations, NewPayloadRenderView, PayloadRenderViewChanges, PayloadRenderViews,
};

use crate::{World, change, list, refused};

const FIRST: &str = "{\"n\": 1}";
const SECOND: &str = "{\"n\": 2}";

fn view(place: Option<IntegrationId>, key: &str, template: &str) -> NewPayloadRenderView {
    NewPayloadRenderView {
        integration_id: place,
        key: key.parse().expect("a key"),
        name: key.to_uppercase(),
        description: None,
        template: template.parse().expect("a template"),
        idempotency: None,
    }
}

async fn save(
    world: &World<impl PayloadRenderViews>,
    new: NewPayloadRenderView,
) -> PayloadRenderView {
    let made = world.store.create_payload_render_view(new, change(1)).await;
    made.expect("made").record
}

pub async fn each_template_is_kept_as_a_revision(
    world: &World<impl PayloadRenderViews + Integrations>,
) {
    let place = Some(world.integration);
    let made = save(world, view(place, "crm", FIRST)).await;
    let revise = async |text: &str| {
        let changes = PayloadRenderViewChanges {
            template: Some(text.parse().expect("a template")),
            ..PayloadRenderViewChanges::default()
        };
        let store = &world.store;
        let revised = store.update_payload_render_view(place, made.id, changes, change(2));
        revised.await.expect("revised").revision
    };
    assert_eq!(revise(SECOND).await, 2);
    // The same text is no revision.
    assert_eq!(revise(SECOND).await, 2);
    let shown = async |place, revision| {
        let shown = world.store.payload_render_view(place, made.id, revision);
        let shown = shown.await.expect("read");
        shown.map(|shown| (shown.revision, shown.template))
    };
    assert_eq!(shown(place, None).await, Some((2, SECOND.to_owned())));
    assert_eq!(shown(place, Some(1)).await, Some((1, FIRST.to_owned())));
    assert_eq!(shown(place, Some(3)).await, None);
    let other = world.integrate("other").await;
    assert_eq!(shown(Some(other), None).await, None);
    let unknown = PayloadRenderViewId(999);
    let shown = world.store.payload_render_view(place, unknown, None).await;
    assert!(shown.expect("read").is_none());
}

pub async fn a_key_is_unique_in_its_place(world: &World<impl PayloadRenderViews + Integrations>) {
    let own = save(world, view(Some(world.integration), "crm", "{}")).await;
    let common = save(world, view(None, "crm", "{}")).await;
    let other = world.integrate("other").await;
    save(world, view(Some(other), "crm", "{}")).await;
    for place in [None, Some(world.integration)] {
        let again = world
            .store
            .create_payload_render_view(view(place, "crm", FIRST), change(1));
        assert_eq!(refused(again.await.map(|_| ())), ["key"]);
    }
    let nowhere = view(Some(IntegrationId(999)), "x", "{}");
    let nowhere = world.store.create_payload_render_view(nowhere, change(1));
    assert_eq!(refused(nowhere.await.map(|_| ())), ["integration_id"]);
    let views = world
        .store
        .payload_render_views(Some(world.integration), list(50));
    assert_eq!(views.await.expect("a list").items, [own.clone(), common]);
    let renamed = PayloadRenderViewChanges {
        key: Some("other".parse().expect("a key")),
        description: Some(Some("For others.".to_owned())),
        ..PayloadRenderViewChanges::default()
    };
    let elsewhere =
        world
            .store
            .update_payload_render_view(None, own.id, renamed.clone(), change(2));
    assert_eq!(refused(elsewhere.await), ["id"]);
    let place = Some(world.integration);
    let changed = world
        .store
        .update_payload_render_view(place, own.id, renamed, change(2));
    let changed = changed.await.expect("renamed");
    assert_eq!((changed.key.as_str(), changed.revision), ("other", 1));
}

pub async fn a_view_that_is_made_again_is_answered_as_the_first_time(
    world: &World<impl PayloadRenderViews + Integrations>,
) {
    let mut new = view(Some(world.integration), "again", "{}");
    new.idempotency = Some(Idempotency {
        key: "k".to_owned(),
        request_hash: [1; 32],
    });
    let first = save(world, new.clone()).await;
    let second = world.store.create_payload_render_view(new, change(2)).await;
    let second = second.expect("answered");
    assert_eq!((second.replayed, second.record), (true, first));
}

/// The laws of this file.
#[macro_export]
macro_rules! payload_render_views_laws {
    ($test:ident) => {
        $test! {
            payload_render_views: each_template_is_kept_as_a_revision,
            a_key_is_unique_in_its_place,
            a_view_that_is_made_again_is_answered_as_the_first_time
        }
    };
}
