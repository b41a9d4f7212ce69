//! The audit trail, for operators.

use domain::records::AuditEvent;
use store::{AuditQuery, Page};

use crate::app::App;
use crate::denied::Denied;

impl App {
    /// Who changed what.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn audit_events(&self, query: AuditQuery) -> Result<Page<AuditEvent>, Denied> {
        Ok(self.store.audit_events(query).await?)
    }
}
