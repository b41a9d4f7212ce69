//! The smaller records: applications, integrations, list items and the audit trail.

use serde::{Deserialize, Serialize};

use crate::id::{ApplicationId, IntegrationId, ListItemId};
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
    /// When it was made.
    pub created_at: Moment,
    /// When its token was last renewed.
    pub token_created_at: Moment,
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

/// Who causes a change, for the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A program with a token.
    Application(ApplicationId),
    /// Somebody at the machine.
    CommandLine,
    /// Postrider itself, such as when an endpoint says that it is gone.
    Postrider,
}
