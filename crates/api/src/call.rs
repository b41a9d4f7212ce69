//! A request as its handler gets it.

use app::{App, Caller, DOES_NOT_EXIST, Scope, request_hash};
use contract::{IDEMPOTENCY_KEY, Input, Route, status};
use domain::id::IntegrationId;
use store::{Idempotency, Reference};

use crate::api::Api;
use crate::params::INTEGRATION_ID;
use crate::trouble::Trouble;

/// A request whose caller is known and whose parameters have been checked one by one.
#[derive(Clone, Copy)]
pub(crate) struct Call<'c> {
    pub(crate) api: &'c Api,
    pub(crate) route: &'static Route,
    pub(crate) caller: Caller<'c>,
    /// As it was sent; empty on routes that take none.
    pub(crate) token: &'c str,
    pub(crate) input: &'c Input<'c>,
}

impl<'c> Call<'c> {
    pub(crate) fn app(&self) -> &'c App {
        &self.api.app
    }

    /// Lets the caller into the integration that `integration_id` names; if that cannot be, it is noted as
    /// a fault, so that the rest can still be looked at.
    pub(crate) async fn scope(&self) -> Result<Option<Scope<'c>>, Trouble> {
        self.scope_of(INTEGRATION_ID.name).await
    }

    /// The same for a parameter of another name.
    pub(crate) async fn scope_of(&self, name: &str) -> Result<Option<Scope<'c>>, Trouble> {
        let Some(id) = self.input.integer(name) else {
            return Ok(None);
        };
        let scope = self.app().scope(self.caller, IntegrationId(id)).await?;
        if scope.is_none() {
            self.input.fault(name, DOES_NOT_EXIST);
        }
        Ok(scope)
    }

    /// The integration, and the record in it that `id` names; for routes that take little else.
    pub(crate) async fn record(&self) -> Result<(Scope<'c>, i64), Trouble> {
        let scope = self.scope().await?;
        let id = self.input.integer("id");
        Ok(self.input.finish(|| Some((scope?, id?)))?)
    }

    /// Ends the request if anything is at fault, after looking at the references too: one answer then
    /// names all that is wrong. A request without faults costs no look at the store, which checks the
    /// references itself when it carries the request out.
    pub(crate) async fn refuse_faults(
        &self,
        references: impl FnOnce() -> Vec<Reference>,
    ) -> Result<(), Trouble> {
        match self.input.finish(|| Some(())) {
            Ok(()) => Ok(()),
            // What is bad is not told while something is missing.
            Err(failure) if failure.status == &status::MISSING_PARAM => Err(failure.into()),
            Err(_) => self.check(references()).await,
        }
    }

    /// Ends the request if anything is at fault, the references included.
    pub(crate) async fn check(&self, references: Vec<Reference>) -> Result<(), Trouble> {
        for refusal in self.app().check(references).await? {
            self.input.fault(&refusal.attr, refusal.message);
        }
        Ok(self.input.finish(|| Some(()))?)
    }

    /// What makes the create repeatable, if the caller wants it.
    pub(crate) fn idempotency(&self) -> Option<Idempotency> {
        idempotency(self.input, self.route)
    }
}

/// What makes a create by this route repeatable, whose parameters are these. The integration is no part of the request:
/// the key counts in one only.
pub(crate) fn idempotency(input: &Input<'_>, route: &Route) -> Option<Idempotency> {
    let key = input.string(IDEMPOTENCY_KEY.name)?;
    let outside = [IDEMPOTENCY_KEY.name, INTEGRATION_ID.name];
    let parameters = input
        .sent()
        .filter(|(name, _)| !outside.contains(name))
        .map(|(name, json)| (name, json.get()));
    Some(Idempotency {
        request_hash: request_hash(&route.path(), parameters),
        key,
    })
}
