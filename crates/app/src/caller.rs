//! Who asks, and where that may lead.

use domain::id::{ApplicationId, IntegrationId};
use domain::records::{Actor, Application};

/// Who a token belongs to, and how far it reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Principal {
    application_id: ApplicationId,
    /// The only integration that it may use; none means all.
    only: Option<IntegrationId>,
}

/// A principal with the request that it makes.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// Who asks.
    pub principal: Principal,
    /// The request, as its answer's `x-request-id` names it.
    pub request_id: &'a str,
}

/// A caller inside an integration that exists and that it may use. Only [`App::scope`](crate::App::scope)
/// makes one.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    caller: Caller<'a>,
    integration_id: IntegrationId,
}

impl Principal {
    /// The only integration that it may use; none means all.
    pub fn only(&self) -> Option<IntegrationId> {
        self.only
    }

    /// Whether it may use this integration, if that exists.
    pub fn reaches(&self, integration_id: IntegrationId) -> bool {
        self.only.is_none_or(|only| only == integration_id)
    }

    /// As the audit trail knows it.
    pub(crate) fn actor(&self) -> Actor {
        Actor::Application(self.application_id)
    }
}

impl From<&Application> for Principal {
    fn from(application: &Application) -> Principal {
        Principal {
            application_id: application.id,
            only: application.integration_id,
        }
    }
}

impl<'a> Scope<'a> {
    pub(crate) fn new(caller: Caller<'a>, integration_id: IntegrationId) -> Scope<'a> {
        Scope {
            caller,
            integration_id,
        }
    }

    /// Who asks.
    pub fn caller(&self) -> Caller<'a> {
        self.caller
    }

    /// Where.
    pub fn integration_id(&self) -> IntegrationId {
        self.integration_id
    }
}
