//! Applications: their names, their tokens, and the overlap of two.

use std::time::Duration;

use domain::id::{ApplicationId, IntegrationId};
use domain::token::{Token, TokenHash};
use store::{ApplicationChanges, Applications, Idempotency, Integrations, NewApplication};

use crate::{World, after, change, refused, sorted};

fn token(number: u8) -> Token {
    Token::of_application([number; 32])
}

fn application(slug: &str, integration_id: Option<IntegrationId>) -> NewApplication {
    NewApplication {
        slug: slug.to_owned(),
        integration_id,
        token: token(1),
        idempotency: None,
    }
}

/// The application of a token, so many seconds after the start.
async fn owner(
    world: &World<impl Applications>,
    hash: TokenHash,
    seconds: u64,
) -> Option<ApplicationId> {
    let found = world.store.application_of_token(hash, after(seconds)).await;
    found.expect("read").map(|application| application.id)
}

pub async fn an_old_token_is_accepted_until_the_overlap_is_over(
    world: &World<impl Applications + Integrations>,
) {
    let new = application("olio", None);
    let made = world.store.create_application(new, change(0)).await;
    let id = made.expect("made").record.application.id;
    let hash = |number| token(number).hash();
    assert_eq!(owner(world, hash(1), 0).await, Some(id));
    let rotate = |number: u8, overlap: u64| {
        let overlap = Duration::from_secs(overlap);
        let store = &world.store;
        store.rotate_application_token(id, token(number), overlap, change(10))
    };
    let rotated = rotate(2, 5).await.expect("rotated");
    assert_eq!(rotated.token, token(2).text());
    assert_eq!(rotated.application.token_created_at, after(10));
    assert_eq!(rotated.application.previous_token_until, Some(after(15)));
    assert_eq!(owner(world, hash(2), 10).await, Some(id));
    assert_eq!(owner(world, hash(1), 14).await, Some(id));
    assert_eq!(owner(world, hash(1), 15).await, None);
    rotate(3, 0).await.expect("rotated");
    let owners = [
        owner(world, hash(1), 10).await,
        owner(world, hash(2), 10).await,
        owner(world, hash(3), 10).await,
    ];
    assert_eq!(owners, [None, None, Some(id)]);
    let unknown = world.store.rotate_application_token(
        ApplicationId(999),
        token(4),
        Duration::ZERO,
        change(10),
    );
    assert_eq!(refused(unknown.await.map(|_| ())), ["id"]);
}

pub async fn an_application_that_is_switched_off_has_no_token(
    world: &World<impl Applications + Integrations>,
) {
    let new = application("olio", None);
    let made = world.store.create_application(new, change(0)).await;
    let id = made.expect("made").record.application.id;
    let switch = |active: bool| {
        let changes = ApplicationChanges {
            active: Some(active),
            ..ApplicationChanges::default()
        };
        world.store.update_application(id, changes, change(1))
    };
    assert!(!switch(false).await.expect("updated").active);
    assert_eq!(owner(world, token(1).hash(), 1).await, None);
    assert!(switch(true).await.expect("updated").active);
    assert_eq!(owner(world, token(1).hash(), 1).await, Some(id));
}

pub async fn an_application_needs_a_free_slug_and_an_integration_that_exists(
    world: &World<impl Applications + Integrations>,
) {
    let create = |slug, integration, number| {
        let new = NewApplication {
            token: token(number),
            ..application(slug, integration)
        };
        let created = world.store.create_application(new, change(0));
        async { created.await.map(|_| ()) }
    };
    create("b", Some(world.integration), 1).await.expect("made");
    assert_eq!(
        refused(create("b", Some(IntegrationId(999)), 2).await),
        ["slug", "integration_id"]
    );
    create("a", None, 3).await.expect("made");
    let by_slug = sorted("slug", false, 10);
    let all = world.store.applications(None, by_slug).await;
    let all = all.expect("read").items;
    let slugs: Vec<&str> = all.iter().map(|one| one.slug.as_str()).collect();
    assert_eq!(slugs, ["a", "b"]);
}

pub async fn a_create_that_is_sent_again_answers_the_first_token(
    world: &World<impl Applications + Integrations>,
) {
    let create = |number| {
        let new = NewApplication {
            token: token(number),
            idempotency: Some(Idempotency {
                key: "once".to_owned(),
                request_hash: [1; 32],
            }),
            ..application("olio", None)
        };
        world.store.create_application(new, change(0))
    };
    let first = create(1).await.expect("made");
    let again = create(2).await.expect("answered");
    assert_eq!((first.replayed, again.replayed), (false, true));
    assert_eq!(again.record.token, token(1).text());
    assert_eq!(owner(world, token(2).hash(), 0).await, None);
}

/// The laws of this file.
#[macro_export]
macro_rules! applications_laws {
    ($test:ident) => {
        $test! {
            applications: an_old_token_is_accepted_until_the_overlap_is_over,
            an_application_that_is_switched_off_has_no_token,
            an_application_needs_a_free_slug_and_an_integration_that_exists,
            a_create_that_is_sent_again_answers_the_first_token
        }
    };
}
