//! Notifications: the same counts, until it is read.

use domain::id::NotificationId;
use domain::notification::{NewNotification, NotificationKind};
use store::{NotificationQuery, Notifications};

use crate::{World, after, change, list, refused};

pub async fn the_same_notification_counts_until_it_is_read(world: &World<impl Notifications>) {
    let store = &world.store;
    let raise = |seconds: u64| {
        store.raise_notification(NewNotification {
            kind: NotificationKind::ApplicationCrash,
            about: "/api/v1/orders/show".to_owned(),
            integration_id: None,
            webhook_out_sub_id: None,
            message: format!("at {seconds}"),
            request_id: Some(format!("request-{seconds}")),
            at: after(seconds),
        })
    };
    raise(1).await.expect("raised");
    raise(2).await.expect("raised");
    let all = async |read: Option<bool>| {
        let query = NotificationQuery {
            kinds: vec![NotificationKind::ApplicationCrash],
            read,
            list: list(10),
        };
        store.notifications(query).await.expect("read").items
    };
    let unread = all(Some(false)).await;
    assert_eq!(unread.len(), 1);
    assert_eq!((unread[0].times, unread[0].updated_at), (2, after(2)));
    assert_eq!(unread[0].request_id.as_deref(), Some("request-2"));
    let first = unread[0].id;
    let mark = |id, read| store.update_notification(id, read, change(3));
    let read = mark(first, true).await.expect("marked");
    assert_eq!(read.read_at, Some(after(3)));
    raise(4).await.expect("raised");
    assert_eq!(all(None).await.len(), 2);
    assert_eq!(refused(mark(first, false).await), ["read"]);
    assert_eq!(refused(mark(NotificationId(999), true).await), ["id"]);
}

/// The laws of this file.
#[macro_export]
macro_rules! notifications_laws {
    ($test:ident) => {
        $test! {
            notifications: the_same_notification_counts_until_it_is_read
        }
    };
}
