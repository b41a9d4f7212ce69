//! Vocabularies: the words that a store begins with, and those that people add.

use domain::id::ListItemId;
use domain::vocabulary::{ORDER_EVENT, ORDER_STATUS};
use store::{List, ListItemChanges, ListItems, ListQuery, NewListItem};

use crate::{World, change, list, refused, searched, sorted};

pub async fn a_store_starts_with_the_words_of_both_vocabularies(world: &World<impl ListItems>) {
    for (list_of, words) in [
        (Some(List::OrderStatus), ORDER_STATUS.len()),
        (Some(List::OrderEvent), ORDER_EVENT.len()),
        (None, ORDER_STATUS.len() + ORDER_EVENT.len()),
    ] {
        let page = world
            .store
            .list_items(list_of, Some(true), list(200))
            .await
            .expect("a page");
        assert_eq!(
            (page.items.len(), page.count.map(|count| count.count)),
            (words, Some(words as u64))
        );
    }
    let none = world
        .store
        .list_items(None, Some(false), list(200))
        .await
        .expect("a page");
    assert!(none.items.is_empty());
    let query = ListQuery {
        sort: sorted("slug", true, 1).sort,
        ..searched("order.p", &["slug", "name"])
    };
    let found = world
        .store
        .list_items(Some(List::OrderEvent), None, query)
        .await
        .expect("a page");
    let slugs: Vec<&str> = found.items.iter().map(|item| item.slug.as_str()).collect();
    assert_eq!(slugs, ["order.processed", "order.post_processing"]);
}

pub async fn a_word_is_added_once_and_changed(world: &World<impl ListItems>) {
    let new = |slug: &str| NewListItem {
        list: List::OrderStatus,
        slug: slug.to_owned(),
        name: "Drone up".to_owned(),
        description: None,
        active: true,
        idempotency: None,
    };
    let store = &world.store;
    let made = store.create_list_item(new("drone_up"), change(0)).await;
    let made = made.expect("made").record;
    assert!(made.active && made.description.is_none());
    let again = store.create_list_item(new("drone_up"), change(1)).await;
    assert_eq!(refused(again.map(|_| ())), ["slug"]);
    let changes = || ListItemChanges {
        active: Some(false),
        description: Some(Some("The drone flies.".to_owned())),
        ..ListItemChanges::default()
    };
    let off = store.update_list_item(made.id, changes(), change(2)).await;
    let off = off.expect("switched");
    assert_eq!((off.active, off.name.as_str()), (false, "Drone up"));
    let unused = store.list_items(None, Some(false), list(10)).await;
    assert_eq!(unused.expect("read").items, [off]);
    let unknown = store
        .update_list_item(ListItemId(9_999), changes(), change(2))
        .await;
    assert_eq!(refused(unknown), ["id"]);
}

/// The laws of this file.
#[macro_export]
macro_rules! list_items_laws {
    ($test:ident) => {
        $test! {
            list_items: a_store_starts_with_the_words_of_both_vocabularies,
            a_word_is_added_once_and_changed
        }
    };
}
