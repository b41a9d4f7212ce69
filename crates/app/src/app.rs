//! The use cases' common ground: who may go where, and the frame of every change.

use std::sync::Arc;

use domain::id::IntegrationId;
use domain::time::{Clock, Moment};
use domain::token::TokenHash;
use store::{Change, Reference, Refusal, Store, StoreError};

use crate::caller::{Caller, Principal, Scope};
use crate::recent::Recent;
use crate::underway::Underway;

/// All use cases. Cheap to share, and the same for every caller.
pub struct App {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) underway: Arc<dyn Underway>,
    clock: Arc<dyn Clock>,
    /// Tokens that were good a moment ago. Unknown ones are not kept: a token that was just made must
    /// be good at once.
    principals: Recent<TokenHash, Principal>,
    /// Integrations that existed a moment ago.
    integrations: Recent<IntegrationId, ()>,
}

impl App {
    /// The use cases over this store; `underway` tells what the store does not know.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, underway: Arc<dyn Underway>) -> App {
        App {
            store,
            underway,
            clock,
            principals: Recent::new(),
            integrations: Recent::new(),
        }
    }

    /// The time.
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Whose token this is; nobody's if it is unknown.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn authenticate(&self, token: &str) -> Result<Option<Principal>, StoreError> {
        let hash = TokenHash::of(token);
        // Taken before reading: what is kept is then never believed for too long.
        let now = self.now();
        if let Some(principal) = self.principals.get(&hash, now) {
            return Ok(Some(principal));
        }
        let application = self.store.application_of_token(hash).await?;
        let principal = application.as_ref().map(Principal::from);
        if let Some(principal) = principal {
            self.principals.put(hash, principal, now);
        }
        Ok(principal)
    }

    /// Lets the caller into an integration; nothing if it does not exist or the caller may not see it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn scope<'a>(
        &self,
        caller: Caller<'a>,
        id: IntegrationId,
    ) -> Result<Option<Scope<'a>>, StoreError> {
        if !caller.principal.reaches(id) {
            return Ok(None);
        }
        let scope = Scope::new(caller, id);
        let now = self.now();
        if self.integrations.get(&id, now).is_some() {
            return Ok(Some(scope));
        }
        if self.store.integration(id).await?.is_none() {
            return Ok(None);
        }
        self.integrations.put(id, (), now);
        Ok(Some(scope))
    }

    /// Which of these references do not hold. For requests that are refused anyway, so that one answer
    /// names all that is wrong.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn check(&self, references: Vec<Reference>) -> Result<Vec<Refusal>, StoreError> {
        if references.is_empty() {
            return Ok(Vec::new());
        }
        self.store.check(references).await
    }

    /// Whether changes can be written durably at this moment.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] with the reason.
    pub async fn check_writable(&self) -> Result<(), StoreError> {
        self.store.check_writable().await
    }

    pub(crate) fn change(&self, caller: Caller<'_>) -> Change {
        Change {
            actor: caller.principal.actor(),
            at: self.now(),
            request_id: Some(caller.request_id.to_owned()),
        }
    }
}
