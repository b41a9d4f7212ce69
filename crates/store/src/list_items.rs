//! Vocabularies: the lists `order_status` and `order_event`.

use async_trait::async_trait;
use domain::id::ListItemId;
use domain::records::ListItem;

use crate::change::{Change, Created, Idempotency};
use crate::error::{Rejection, StoreError};
use crate::page::{ListQuery, Page};

/// The vocabularies there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum List {
    /// What an order's status can be.
    OrderStatus,
    /// What can happen to an order.
    OrderEvent,
}

impl List {
    /// The possible values of the parameter `key`.
    pub const NAMES: [&'static str; 2] = ["order_status", "order_event"];

    /// The list's key.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The list of this key.
    pub fn parse(name: &str) -> Option<List> {
        [List::OrderStatus, List::OrderEvent]
            .into_iter()
            .find(|list| list.name() == name)
    }
}

/// A word to be, usable at once.
#[derive(Clone, Debug)]
pub struct NewListItem {
    /// The list it belongs to.
    pub list: List,
    /// The word that parameters take, unique in its list.
    pub slug: String,
    /// The word for people.
    pub name: String,
    /// What it means.
    pub description: Option<String>,
    /// Whether it can be used.
    pub active: bool,
    /// Makes the create repeatable.
    pub idempotency: Option<Idempotency>,
}

/// What an update says; absent means unchanged, `Some(None)` clears. The slug stays: orders and
/// subscriptions hold it.
#[derive(Clone, Debug, Default)]
pub struct ListItemChanges {
    /// The word for people.
    pub name: Option<String>,
    /// What it means.
    pub description: Option<Option<String>>,
    /// Whether it can be used. What uses it already goes on.
    pub active: Option<bool>,
}

/// Vocabularies.
#[async_trait]
pub trait ListItems {
    /// Adds a word.
    ///
    /// # Errors
    /// Refused where the list has the slug already (`slug`).
    async fn create_list_item(
        &self,
        new: NewListItem,
        change: Change,
    ) -> Result<Created<ListItem>, Rejection>;

    /// Changes a word.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`).
    async fn update_list_item(
        &self,
        id: ListItemId,
        changes: ListItemChanges,
        change: Change,
    ) -> Result<ListItem, Rejection>;

    /// Words; of all lists where none is named. Searched by `slug` and `name`, sorted by `id`, `slug` or
    /// `name`. `active` keeps only those that can be used, or cannot.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn list_items(
        &self,
        list: Option<List>,
        active: Option<bool>,
        query: ListQuery,
    ) -> Result<Page<ListItem>, StoreError>;
}
