//! The smaller records: applications, integrations, list items, the API's own, and the audit trail.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::id::{
    ApplicationId, AuditEventId, IntegrationId, ListItemId, RouteId, ServiceId, UserId,
};
use crate::time::Moment;

/// A program that calls the API, as it is kept and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Application {
    /// Its identity.
    pub id: ApplicationId,
    /// Its name, unique.
    pub slug: String,
    /// The only integration it may use; none means all.
    pub integration_id: Option<IntegrationId>,
    /// Whether its tokens are accepted.
    pub active: bool,
    /// When it was made.
    pub created_at: Moment,
    /// When its token was last renewed.
    pub token_created_at: Moment,
    /// Until when the token before is accepted as well.
    pub previous_token_until: Option<Moment>,
}

/// Whose orders and subscriptions belong together, as it is kept and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Integration {
    /// Its identity.
    pub id: IntegrationId,
    /// Its name for machines, unique.
    pub key: String,
    /// Its name for people.
    pub name: String,
    /// How long its changes are kept with their jobs, in days; absent where the configuration decides.
    #[serde(default)]
    pub retention_days: Option<u32>,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
}

/// A word of a vocabulary, as it is kept and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListItem {
    /// Its identity.
    pub id: ListItemId,
    /// The list it belongs to, such as `order_status`.
    pub key: String,
    /// The word that parameters take; unique in its list.
    pub slug: String,
    /// The word for people.
    pub name: String,
    /// What it means.
    pub description: Option<String>,
    /// Whether it can be used.
    pub active: bool,
    /// When it was made.
    pub created_at: Moment,
    /// When it was last changed.
    pub updated_at: Moment,
}

/// A service of the API, as it is kept and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Its identity.
    pub id: ServiceId,
    /// The noun in the path, such as `orders`.
    pub key: String,
    /// Whether its routes answer.
    pub deployed: bool,
    /// When it was first declared.
    pub created_at: Moment,
    /// When it was last switched.
    pub updated_at: Moment,
}

/// A route of the API, as it is kept and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Its identity.
    pub id: RouteId,
    /// The noun in the path.
    pub service: String,
    /// The verb in the path.
    pub action: String,
    /// The HTTP method.
    pub method: String,
    /// Whether it answers, if its service does.
    pub deployed: bool,
    /// When it was first declared.
    pub created_at: Moment,
    /// When it was last switched.
    pub updated_at: Moment,
}

/// One change of a record, as it is kept and shown. Secrets and the contents of orders are left out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AuditEvent {
    /// Its identity.
    pub id: AuditEventId,
    /// Where, if the record belongs to one integration.
    pub integration_id: Option<IntegrationId>,
    /// Who did it.
    pub actor: Actor,
    /// The request, as its answer's `x-request-id` named it.
    pub request_id: Option<String>,
    /// The kind of record, such as `webhook_out_sub`.
    pub noun: String,
    /// The record.
    pub record_id: i64,
    /// What was done, such as `update`.
    pub action: String,
    /// The record before.
    pub before: Option<Box<RawValue>>,
    /// The record after.
    pub after: Option<Box<RawValue>>,
    /// When.
    pub created_at: Moment,
}

/// Who causes a change, for the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A program with a token.
    Application(ApplicationId),
    /// A person with a session.
    User(UserId),
    /// Somebody without a token: who registers, or asks for a link.
    Visitor,
    /// Somebody who came by a link into the portal, by the name that the link gives them.
    Portal(String),
    /// Somebody at the machine.
    CommandLine,
    /// Postrider itself, such as when an endpoint says that it is gone.
    Postrider,
}
