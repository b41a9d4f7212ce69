//! Letters: what Postrider mails to people, as facts. The words are made when it is sent.

use serde::{Deserialize, Serialize};

use crate::id::{IntegrationId, OrderId, WebhookJobId, WebhookOutSubId};
use crate::time::Moment;

/// A mail to be, to one address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// The address.
    pub to: String,
    /// What it says.
    pub about: About,
}

/// What a letter says.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// How to sign in, once.
    SignInLink {
        /// The link's token; the page is known where the letter is written.
        link_token: String,
        /// Until when it is good.
        expires_at: Moment,
    },
    /// Somebody lets the reader into an integration.
    Invitation {
        /// The integration's name.
        integration: String,
        /// The link's token.
        link_token: String,
        /// Until when it is good.
        expires_at: Moment,
    },
    /// The reader will be told when a callback keeps failing.
    NotificationEmail {
        /// The subscription.
        sub: SubNamed,
    },
    /// A callback keeps failing.
    KeepsFailing {
        /// The subscription.
        sub: SubNamed,
        /// The job that is to blame, with what the receiver should have got.
        job: FailedJob,
        /// How many jobs failed so since the last mail, this one included.
        jobs: u32,
    },
    /// A subscription was switched off.
    SwitchedOff {
        /// The subscription.
        sub: SubNamed,
        /// Why, in words.
        reason: String,
        /// When.
        at: Moment,
    },
    /// A callback works again.
    Recovered {
        /// The subscription.
        sub: SubNamed,
        /// When.
        at: Moment,
    },
}

/// A subscription as a letter names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubNamed {
    /// The subscription; none while it is being made.
    pub id: Option<WebhookOutSubId>,
    /// Whose it is.
    pub integration_id: IntegrationId,
    /// The integration's name for people.
    pub integration: String,
    /// Its key.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Where payloads are POSTed.
    pub callback_url: String,
}

/// A job that could not be delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedJob {
    /// The job.
    pub id: WebhookJobId,
    /// The order; none for a test.
    pub order_id: Option<OrderId>,
    /// The order status; empty where it tells of a subscription.
    pub status: String,
    /// The event.
    pub event: Option<String>,
    /// How many attempts failed.
    pub attempt_count: u32,
    /// Whether it was given up.
    pub exhausted: bool,
    /// What the last attempt met, in words.
    pub last_fault: String,
    /// The bytes that were sent, as text.
    pub payload: String,
}

impl About {
    /// The subscription that it is about, if it is about one.
    pub fn sub(&self) -> Option<&SubNamed> {
        match self {
            About::SignInLink { .. } | About::Invitation { .. } => None,
            About::NotificationEmail { sub }
            | About::KeepsFailing { sub, .. }
            | About::SwitchedOff { sub, .. }
            | About::Recovered { sub, .. } => Some(sub),
        }
    }
}

/// A link's token is as good as a password: it is not shown.
impl std::fmt::Debug for About {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(match self {
            About::SignInLink { .. } => "SignInLink",
            About::Invitation { .. } => "Invitation",
            About::NotificationEmail { .. } => "NotificationEmail",
            About::KeepsFailing { .. } => "KeepsFailing",
            About::SwitchedOff { .. } => "SwitchedOff",
            About::Recovered { .. } => "Recovered",
        })
    }
}
