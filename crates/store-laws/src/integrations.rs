//! Integrations: their keys, and how lists of them are turned over.

use domain::id::IntegrationId;
use store::{Idempotency, IntegrationChanges, Integrations, NewIntegration, Start};

use crate::{World, after, change, refused, searched, sorted};

pub async fn an_integration_has_a_key_of_its_own(world: &World<impl Integrations>) {
    let new = |key: &str| NewIntegration {
        key: key.to_owned(),
        name: "Other".to_owned(),
        retention_days: None,
        idempotency: Some(Idempotency {
            key: "once".to_owned(),
            request_hash: [1; 32],
        }),
    };
    assert_eq!(
        refused(world.store.create_integration(new("acme"), change(0)).await),
        ["key"]
    );
    let made = world
        .store
        .create_integration(new("other"), change(0))
        .await
        .expect("made");
    let again = world
        .store
        .create_integration(new("other"), change(1))
        .await
        .expect("answered");
    assert_eq!((again.replayed, again.record), (true, made.record.clone()));
    let id = made.record.id;
    let named = |key: &str| IntegrationChanges {
        key: Some(key.to_owned()),
        name: None,
        retention_days: None,
    };
    let update = |id, key| world.store.update_integration(id, named(key), change(2));
    assert_eq!(refused(update(id, "acme").await), ["key"]);
    assert_eq!(refused(update(IntegrationId(999), "x").await), ["id"]);
    let updated = update(id, "third").await.expect("changed");
    assert_eq!(
        (updated.name.as_str(), updated.updated_at),
        ("Other", after(2))
    );
    let found = world.store.integration_of_key("third".to_owned()).await;
    assert_eq!(found, Ok(Some(updated.clone())));
    assert_eq!(world.store.integration(id).await, Ok(Some(updated)));
}

pub async fn pages_follow_each_other_in_every_sort(world: &World<impl Integrations>) {
    for key in ["delta", "alpha", "echo", "bravo", "charlie"] {
        world.integrate(key).await;
    }
    let ascending = ["acme", "alpha", "bravo", "charlie", "delta", "echo"];
    let made = ["acme", "delta", "alpha", "echo", "bravo", "charlie"];
    for (by, expected) in [
        ("key", ascending),
        ("name", ascending),
        ("id", made),
        ("created_at", made),
    ] {
        for descending in [false, true] {
            let mut query = sorted(by, descending, 2);
            let mut keys = Vec::new();
            loop {
                let page = world
                    .store
                    .integrations(query.clone(), None)
                    .await
                    .expect("a page");
                assert_eq!(page.count.map(|count| count.count), Some(6));
                keys.extend(page.items.into_iter().map(|one| one.key));
                match page.next {
                    Some(next) => query.page.start = Start::After(next),
                    None => break,
                }
            }
            if descending {
                keys.reverse();
            }
            assert_eq!(keys, expected, "{by} {descending}");
        }
    }
}

pub async fn a_caller_that_may_see_one_integration_finds_that_only(
    world: &World<impl Integrations>,
) {
    let other = world.integrate("acme2").await;
    let query = searched("acme", &["key", "name"]);
    let all = world
        .store
        .integrations(query.clone(), None)
        .await
        .expect("a page");
    assert_eq!(all.count.map(|count| count.count), Some(2));
    let one = world
        .store
        .integrations(query, Some(vec![other]))
        .await
        .expect("a page");
    assert_eq!(
        one.items.iter().map(|one| one.id).collect::<Vec<_>>(),
        [other]
    );
}

pub async fn texts_are_sorted_and_searched_by_their_bytes(world: &World<impl Integrations>) {
    for key in ["a-b", "a", "B", "a.b", "ab", "\u{e4}", "_"] {
        world.integrate(key).await;
    }
    let page = world
        .store
        .integrations(sorted("key", false, 50), None)
        .await;
    let keys: Vec<String> = page
        .expect("a page")
        .items
        .into_iter()
        .map(|one| one.key)
        .collect();
    assert_eq!(keys, ["B", "_", "a", "a-b", "a.b", "ab", "acme", "\u{e4}"]);
    let found = world
        .store
        .integrations(searched("a", &["key"]), None)
        .await;
    let found: Vec<String> = found
        .expect("a page")
        .items
        .into_iter()
        .map(|one| one.key)
        .collect();
    assert_eq!(found, ["acme", "a-b", "a", "a.b", "ab"]);
}

/// The laws of this file.
#[macro_export]
macro_rules! integrations_laws {
    ($test:ident) => {
        $test! {
            integrations: an_integration_has_a_key_of_its_own,
            pages_follow_each_other_in_every_sort,
            a_caller_that_may_see_one_integration_finds_that_only,
            texts_are_sorted_and_searched_by_their_bytes
        }
    };
}
