//! The audit trail: who changed what.

use async_trait::async_trait;
use domain::id::IntegrationId;
use domain::records::AuditEvent;

use crate::error::StoreError;
use crate::page::{ListQuery, Page};

/// Which events.
#[derive(Clone, Debug)]
pub struct AuditQuery {
    /// Only those of this integration.
    pub integration_id: Option<IntegrationId>,
    /// Only those of these kinds of records; empty means all.
    pub nouns: Vec<String>,
    /// Only those of these records; empty means all.
    pub record_ids: Vec<i64>,
    /// Only these actions; empty means all.
    pub actions: Vec<String>,
    /// Not searched; sorted by `id`, which is the order in which they happened.
    pub list: ListQuery,
}

/// The audit trail.
#[async_trait]
pub trait AuditEvents {
    /// Events.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn audit_events(&self, query: AuditQuery) -> Result<Page<AuditEvent>, StoreError>;
}
