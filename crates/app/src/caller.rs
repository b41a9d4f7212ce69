//! Who asks, and where that may lead.

use std::net::IpAddr;
use std::sync::Arc;

use domain::id::{ApplicationId, IntegrationId};
use domain::portal_link::PortalLink;
use domain::records::{Actor, Application};
use domain::user::Role;
use store::SignedIn;

/// Who a request comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// Somebody without a token, on a route that wants none.
    Visitor,
    /// A program.
    Application {
        /// Which.
        id: ApplicationId,
        /// The only integration that it may use; none means all.
        only: Option<IntegrationId>,
    },
    /// A person with a session.
    User(Arc<SignedIn>),
    /// Somebody who came by a link into the portal.
    Portal(Arc<PortalLink>),
}

/// A principal with the request that it makes.
#[derive(Clone, Copy, Debug)]
pub struct Caller<'a> {
    /// Who asks.
    pub principal: &'a Principal,
    /// The request, as its answer's `x-request-id` names it.
    pub request_id: &'a str,
    /// Where the request comes from, for the limits on tries.
    pub address: Option<IpAddr>,
}

/// A caller inside an integration that exists and that it may use. Only [`App::scope`](crate::App::scope)
/// makes one.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    caller: Caller<'a>,
    integration_id: IntegrationId,
}

impl Principal {
    /// The integrations that it may use; none means all.
    pub fn only(&self) -> Option<&[IntegrationId]> {
        match self {
            Principal::Visitor => Some(&[]),
            Principal::Application { only, .. } => only.as_ref().map(std::slice::from_ref),
            Principal::Portal(link) => Some(std::slice::from_ref(&link.integration_id)),
            Principal::User(signed_in) if signed_in.user.is(Role::Employee) => None,
            Principal::User(signed_in) if signed_in.user.roles.is_empty() => Some(&[]),
            Principal::User(signed_in) => Some(&signed_in.user.scoped_integrations),
        }
    }

    /// Whether it may use this integration, if that exists.
    pub fn reaches(&self, integration_id: IntegrationId) -> bool {
        self.only()
            .is_none_or(|only| only.contains(&integration_id))
    }

    /// Who signed in, if it is a person.
    pub fn signed_in(&self) -> Option<&SignedIn> {
        match self {
            Principal::User(signed_in) => Some(signed_in),
            Principal::Visitor | Principal::Application { .. } | Principal::Portal(_) => None,
        }
    }

    /// The link that somebody came by, if it is one into the portal.
    pub fn portal_link(&self) -> Option<&PortalLink> {
        match self {
            Principal::Portal(link) => Some(link),
            Principal::Visitor | Principal::Application { .. } | Principal::User(_) => None,
        }
    }

    /// As the audit trail knows it.
    pub(crate) fn actor(&self) -> Actor {
        match self {
            Principal::Visitor => Actor::Visitor,
            Principal::Application { id, .. } => Actor::Application(*id),
            Principal::User(signed_in) => Actor::User(signed_in.user.id),
            Principal::Portal(link) => Actor::Portal(link.subject.clone()),
        }
    }
}

impl From<Application> for Principal {
    fn from(application: Application) -> Principal {
        Principal::Application {
            id: application.id,
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
