//! Notifications: what the operators must know.

use async_trait::async_trait;
use domain::id::NotificationId;
use domain::notification::{NewNotification, Notification, NotificationKind};

use crate::change::Change;
use crate::error::{Rejection, StoreError};
use crate::page::{ListQuery, Page};

/// Which notifications.
#[derive(Clone, Debug)]
pub struct NotificationQuery {
    /// Only of these kinds; empty means all.
    pub kinds: Vec<NotificationKind>,
    /// Only those that were read, or were not.
    pub read: Option<bool>,
    /// Not searched; sorted by `id`, `created_at` or `updated_at`.
    pub list: ListQuery,
}

/// Notifications.
#[async_trait]
pub trait Notifications {
    /// Tells the operators; the same again only counts while it is unread.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn raise_notification(&self, new: NewNotification) -> Result<(), StoreError>;

    /// Notifications.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn notifications(
        &self,
        query: NotificationQuery,
    ) -> Result<Page<Notification>, StoreError>;

    /// Marks one as read, or as unread again; the first reading counts.
    ///
    /// # Errors
    /// Refused where it does not exist (`id`), or where the same happened since and is unread (`read`).
    async fn update_notification(
        &self,
        id: NotificationId,
        read: bool,
        change: Change,
    ) -> Result<Notification, Rejection>;
}
