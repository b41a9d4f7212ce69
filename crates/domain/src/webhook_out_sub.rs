//! Outgoing webhook subscriptions: whom to tell, of what, and how.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::callback_header::CallbackHeader;
use crate::destination::CallbackUrl;
use crate::health::LaneRecord;
use crate::id::{IntegrationId, WebhookOutSubId};
use crate::notification_emails::NotificationEmails;
use crate::payload_render_view::ViewName;
use crate::rate_limit::RateLimit;
use crate::retry::RetryPolicy;
use crate::success_code::SuccessCode;
use crate::time::Moment;

/// In-flight limit of a subscription that states none.
pub const MAX_IN_FLIGHT_DEFAULT: u32 = 32;
/// Largest in-flight limit of a subscription: one lane shall not hold all sockets.
pub const MAX_IN_FLIGHT_MAX: u32 = 100;
/// Longest deadline that a subscription may ask for, in seconds.
pub const TIMEOUT_SECONDS_MAX: u32 = 60;
/// Most subscriptions of an integration that are not deleted: matching looks at each.
pub const WEBHOOK_OUT_SUBS_MAX: usize = 1_000;

/// The generation of the payload; it decides the view of a subscription that names none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Version {
    /// Status-driven.
    V2,
    /// Event-driven.
    V3,
}

impl Version {
    /// The possible values of the parameter.
    pub const NAMES: [&'static str; 2] = ["v2", "v3"];

    /// The name, as the parameter has it.
    pub const fn name(self) -> &'static str {
        match self {
            Version::V2 => "v2",
            Version::V3 => "v3",
        }
    }

    /// The version of this name.
    pub fn parse(name: &str) -> Option<Version> {
        match name {
            "v2" => Some(Version::V2),
            "v3" => Some(Version::V3),
            _ => None,
        }
    }
}

/// In which order the jobs of a subscription go out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ordering {
    /// The jobs of one order strictly in sequence, other orders in parallel.
    #[default]
    Order,
    /// All jobs strictly in sequence.
    Subscription,
    /// As they come.
    None,
}

impl Ordering {
    /// The possible values of the parameter.
    pub const NAMES: [&'static str; 3] = ["order", "subscription", "none"];

    /// The name, as the parameter and both stores have it.
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The ordering of this name.
    pub fn parse(name: &str) -> Option<Ordering> {
        [Ordering::Order, Ordering::Subscription, Ordering::None]
            .into_iter()
            .find(|ordering| ordering.name() == name)
    }
}

/// A subscription as it is kept and shown. Its signing secret is kept apart.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WebhookOutSub {
    /// Its identity.
    pub id: WebhookOutSubId,
    /// Whose it is.
    pub integration_id: IntegrationId,
    /// Its name for machines, unique in the integration.
    pub key: String,
    /// Its name for people.
    pub name: String,
    /// Where payloads are POSTed.
    pub callback_url: CallbackUrl,
    /// Order statuses that make a job; `"*"` means all.
    pub statuses: Vec<String>,
    /// Order events that make a job; `"*"` means all.
    pub events: Vec<String>,
    /// What a change must fulfil beside; see [`crate::payload::template::filter`].
    #[serde(default)]
    pub filter: Option<String>,
    /// Who is told when the callback keeps failing.
    pub notification_emails: Option<NotificationEmails>,
    /// Which statuses of an answer count as delivered; absent means any 2XX.
    pub success_code: Option<SuccessCode>,
    /// The view that renders payloads; absent means the version's default.
    pub payload_render_view: Option<ViewName>,
    /// Whether jobs are made and sent.
    pub active: bool,
    /// Whether mails are sent to `notification_emails`.
    pub notify: bool,
    /// The generation of the payload.
    pub version: Version,
    /// In which order jobs go out.
    pub ordering: Ordering,
    /// Deadline of an attempt in seconds; absent means the server's.
    pub timeout_seconds: Option<u32>,
    /// Most requests at once; absent means [`MAX_IN_FLIGHT_DEFAULT`].
    pub max_in_flight: Option<u32>,
    /// Whether a newer job of an order replaces those of it that wait.
    #[serde(default)]
    pub supersede: bool,
    /// Headers that its requests bear beside ours, as they are shown; the secret ones are kept apart.
    #[serde(default)]
    pub headers: Vec<CallbackHeader>,
    /// When failed deliveries are attempted again; absent means the server's.
    #[serde(default)]
    pub retry_policy: Option<RetryPolicy>,
    /// How many requests it takes; absent means as many as come.
    #[serde(default)]
    pub rate_limit: Option<RateLimit>,
    /// Whether its payloads are signed with a key as well (`v1a`).
    #[serde(default)]
    pub asymmetric_signature: bool,
    /// The public half of that key, `whpk_…`.
    #[serde(default)]
    pub public_key: Option<String>,
    /// Whether the jobs that it missed are still being made; new changes wait for their turn meanwhile.
    #[serde(default)]
    pub catching_up: bool,
    /// How its lane is.
    pub health: LaneRecord,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
}

impl WebhookOutSub {
    /// Most requests at once.
    pub fn in_flight_max(&self) -> u32 {
        self.max_in_flight.unwrap_or(MAX_IN_FLIGHT_DEFAULT)
    }

    /// Deadline of an attempt, where `default` is the server's.
    pub fn timeout(&self, default: Duration) -> Duration {
        self.timeout_seconds
            .map_or(default, |seconds| Duration::from_secs(seconds.into()))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}
