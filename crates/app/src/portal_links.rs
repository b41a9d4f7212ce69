//! Links into the portal: made for one integration, and recognised when somebody comes by one.

use std::sync::Arc;
use std::time::Duration;

use domain::portal_link::PortalLink;
use store::{Deployment, StoreError};

use crate::app::App;
use crate::caller::{Principal, Scope};
use crate::denied::Denied;

/// The route that makes links. Switched off, it takes back all that there are.
pub const PORTAL_LINK_ROUTE: (&str, &str) = ("integrations", "portal_link");

/// A link with its token, which is shown only now.
pub struct NewPortalLink {
    /// What it says.
    pub link: PortalLink,
    /// Its token, `prp_…`.
    pub token: String,
}

impl App {
    /// Makes a link for somebody whom the caller calls `subject`.
    ///
    /// # Errors
    /// Never in practice: what a link says can always be written.
    pub fn create_portal_link(
        &self,
        scope: &Scope<'_>,
        subject: String,
        life: Duration,
    ) -> Result<NewPortalLink, Denied> {
        let link = PortalLink {
            integration_id: scope.integration_id(),
            subject,
            expires_at: self.now() + life,
        };
        let token = self.portal_key.token(&link);
        let token = token.map_err(|error| StoreError::Failed(error.to_string()))?;
        let request_id = scope.caller().request_id;
        let (integration_id, made_by) = (link.integration_id, scope.caller().principal.actor());
        tracing::info!(request_id, %integration_id, ?made_by, "a link into the portal was made");
        Ok(NewPortalLink { link, token })
    }

    /// Who comes by the link of this token.
    ///
    /// # Errors
    /// We did not sign it, or links are taken back; or it is over.
    pub(crate) async fn portal_visitor(&self, token: &str) -> Result<Principal, Denied> {
        let link = self.portal_key.link(token).ok_or(Denied::InvalidToken)?;
        let (service, action) = PORTAL_LINK_ROUTE;
        if self.deployment(service, action).await? != Deployment::Deployed {
            return Err(Denied::InvalidToken);
        }
        match link.is_over(self.now()) {
            true => Err(Denied::SessionExpired),
            false => Ok(Principal::Portal(Arc::new(link))),
        }
    }
}
