//! Vocabularies: the lists `order_status` and `order_event`.

use async_trait::async_trait;
use domain::records::ListItem;

use crate::error::StoreError;
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

/// Vocabularies.
#[async_trait]
pub trait ListItems {
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
