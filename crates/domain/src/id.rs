//! Identities of records: integers that cannot be mixed up.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }
    )*};
}

ids! {
    /// Of an application.
    ApplicationId;
    /// Of an integration.
    IntegrationId;
    /// Of an outgoing webhook subscription.
    WebhookOutSubId;
    /// Of an order.
    OrderId;
    /// Of one change of an order; ascends in the order of commits.
    OrderStageId;
    /// Of one order stage for one subscription; ascends in the order of commits.
    WebhookJobId;
    /// Of a list item.
    ListItemId;
    /// Of a user.
    UserId;
    /// Of a client record.
    ClientId;
    /// Of a session.
    SessionId;
    /// Of a service of the API.
    ServiceId;
    /// Of a route of the API.
    RouteId;
    /// Of a notification.
    NotificationId;
    /// Of an audit event.
    AuditEventId;
    /// Of a mail in the outbox.
    MailId;
    /// Of a recovery.
    RecoveryId;
    /// Of a payload view of one's own.
    PayloadRenderViewId;
}
