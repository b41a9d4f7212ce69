//! The use cases' common ground: who may go where, and the frame of every change.

use std::sync::Arc;

use domain::id::IntegrationId;
use domain::portal_link::PortalKey;
use domain::time::{Clock, Moment};
use domain::token::TokenHash;
use store::{Change, Deployment, Reference, Refusal, Registry, Store, StoreError};

use crate::caller::{Caller, Principal, Scope};
use crate::denied::Denied;
use crate::first_run::FirstRun;
use crate::last_use::LastUse;
use crate::mailer::Mailer;
use crate::password::Passwords;
use crate::recent::Recent;
use crate::sessions::Use;
use crate::throttle::Throttle;
use crate::underway::Underway;

/// All use cases. Cheap to share, and the same for every caller.
pub struct App {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) underway: Arc<dyn Underway>,
    pub(crate) mailer: Arc<dyn Mailer>,
    pub(crate) passwords: Passwords,
    pub(crate) throttle: Throttle,
    pub(crate) last_use: LastUse,
    pub(crate) first_run: FirstRun,
    pub(crate) portal_key: PortalKey,
    clock: Arc<dyn Clock>,
    /// Tokens that were good a moment ago. Unknown ones are not kept: a token that was just made must
    /// be good at once.
    pub(crate) principals: Recent<TokenHash, Principal>,
    /// Which routes answered a moment ago.
    pub(crate) registry: Recent<(), Arc<Registry>>,
    /// Integrations that existed a moment ago.
    integrations: Recent<IntegrationId, ()>,
}

impl App {
    /// The use cases over this store; `underway` tells what the store does not know, `mailer` sends what a
    /// request itself must send, `portal_key` signs links into the portal.
    pub fn new(
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        underway: Arc<dyn Underway>,
        mailer: Arc<dyn Mailer>,
        portal_key: PortalKey,
    ) -> App {
        App {
            store,
            underway,
            mailer,
            passwords: Passwords::new(),
            throttle: Throttle::new(),
            last_use: LastUse::default(),
            first_run: FirstRun::default(),
            portal_key,
            clock,
            principals: Recent::new(),
            registry: Recent::new(),
            integrations: Recent::new(),
        }
    }

    /// The time.
    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Whether a route answers at present.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn deployment(&self, service: &str, action: &str) -> Result<Deployment, StoreError> {
        let now = self.now();
        if let Some(registry) = self.registry.get(&(), now) {
            return Ok(registry.deployment(service, action));
        }
        let registry = Arc::new(self.store.registry().await?);
        let deployment = registry.deployment(service, action);
        self.registry.put((), registry, now);
        Ok(deployment)
    }

    /// Whose token this is, who uses it now.
    ///
    /// # Errors
    /// The token is nobody's, or its session is over; or the store cannot be read.
    pub async fn authenticate(&self, token: &str) -> Result<Principal, Denied> {
        self.recognise(token, Use::Made).await
    }

    /// Whose token this is.
    ///
    /// # Errors
    /// As [`App::authenticate`].
    pub async fn recognise(&self, token: &str, is_use: Use) -> Result<Principal, Denied> {
        if PortalKey::is_token(token) {
            return self.portal_visitor(token).await;
        }
        let hash = TokenHash::of(token);
        // Taken before reading: what is kept is then never believed for too long.
        let now = self.now();
        let principal = match self.principals.get(&hash, now) {
            Some(principal) => principal,
            None => {
                let found = self.principal(hash, now).await?;
                let principal = found.ok_or(Denied::InvalidToken)?;
                self.principals.put(hash, principal.clone(), now);
                principal
            }
        };
        match principal {
            Principal::User(signed_in) => {
                let alive = self.alive(&signed_in, now, is_use);
                alive.map(Principal::User)
            }
            principal => Ok(principal),
        }
    }

    async fn principal(
        &self,
        hash: TokenHash,
        now: Moment,
    ) -> Result<Option<Principal>, StoreError> {
        if let Some(application) = self.store.application_of_token(hash, now).await? {
            return Ok(Some(application.into()));
        }
        let signed_in = self.store.session_of_token(hash).await?;
        Ok(signed_in.map(|signed_in| Principal::User(Arc::new(signed_in))))
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
