//! Notifications: what the operators must know.

use serde::{Deserialize, Serialize};

use crate::id::{IntegrationId, NotificationId, WebhookOutSubId};
use crate::time::Moment;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationKind {
    /// A request ended with a fault of ours.
    ApplicationCrash,
    /// A mail could not be sent.
    MailFailed,
    /// Jobs of a subscription were given up.
    JobExhausted,
    /// A payload view failed on a real order, and the version's default was sent.
    PayloadRenderViewFailed,
}

impl NotificationKind {
    /// The names.
    pub const NAMES: [&'static str; 4] = [
        "application_crash",
        "mail_failed",
        "job_exhausted",
        "payload_render_view_failed",
    ];

    /// The name.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Option<NotificationKind> {
        use NotificationKind as Kind;
        [
            Kind::ApplicationCrash,
            Kind::MailFailed,
            Kind::JobExhausted,
            Kind::PayloadRenderViewFailed,
        ]
        .into_iter()
        .find(|kind| kind.name() == name)
    }
}

/// What the operators must know, as it is kept and shown. While it is unread, the same again only counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notification {
    /// Its identity.
    pub id: NotificationId,
    /// What happened.
    pub kind: NotificationKind,
    /// To what: a route, a subscription, an address.
    pub about: String,
    /// Where, if it belongs to one integration.
    pub integration_id: Option<IntegrationId>,
    /// The subscription, if it concerns one.
    pub webhook_out_sub_id: Option<WebhookOutSubId>,
    /// A sentence for people; of the last time.
    pub message: String,
    /// The request of the last time, as its answer's `x-request-id` named it.
    pub request_id: Option<String>,
    /// How often it happened.
    pub times: i64,
    /// When it happened first.
    pub created_at: Moment,
    /// When it happened last.
    pub updated_at: Moment,
    /// When somebody marked it as read.
    pub read_at: Option<Moment>,
}

/// Something to tell the operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewNotification {
    /// What happened.
    pub kind: NotificationKind,
    /// To what; the same kind about the same thing is one notification until it is read.
    pub about: String,
    /// Where, if it belongs to one integration.
    pub integration_id: Option<IntegrationId>,
    /// The subscription, if it concerns one.
    pub webhook_out_sub_id: Option<WebhookOutSubId>,
    /// A sentence for people, without secrets.
    pub message: String,
    /// The request, if one is to blame.
    pub request_id: Option<String>,
    /// When.
    pub at: Moment,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_the_one_that_is_written() {
        for name in NotificationKind::NAMES {
            let kind = NotificationKind::parse(name).expect("a kind");
            assert_eq!(kind.name(), name);
            assert_eq!(serde_json::to_value(kind).expect("JSON"), name);
        }
    }
}
