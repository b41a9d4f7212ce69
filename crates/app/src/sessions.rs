//! Signing in and out.

use std::sync::Arc;
use std::time::Duration;

use domain::email_address::EmailAddress;
use domain::letter::{About, Letter};
use domain::session::Session;
use domain::time::Moment;
use domain::token::{Token, TokenHash};
use store::{NewSignInLink, SignedIn, StoreError};

use crate::app::App;
use crate::caller::{Caller, Scope};
use crate::denied::Denied;

/// How long a link that somebody asked for signs them in: long enough to find the mail.
const LINK_LIFE: Duration = Duration::from_secs(15 * 60);
/// How long an invitation is good: the invited may be on holiday.
const INVITATION_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How somebody signs in.
pub enum SignIn {
    /// By address and password.
    Password {
        /// The address.
        email: EmailAddress,
        /// The password.
        password: String,
    },
    /// By the token of a link that was mailed.
    Link {
        /// The token.
        link_token: String,
        /// The address, if it is said: another one's link is not good.
        email: Option<EmailAddress>,
    },
}

/// Whether a request is somebody's, made now. One that a page makes by itself, to keep up to date, keeps no session alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Somebody made it.
    Made,
    /// Nobody did.
    Unattended,
}

/// Who signed in, with the session's token.
pub struct NewSession {
    /// The session and its user.
    pub signed_in: SignedIn,
    /// The token, which is shown only now.
    pub token: Token,
}

impl App {
    /// Signs somebody in; `remember_me`, if it is said, becomes their preference.
    ///
    /// # Errors
    /// The credentials are not good, which of them is not told; too many tries.
    pub async fn create_session(
        &self,
        caller: Caller<'_>,
        sign_in: SignIn,
        remember_me: Option<bool>,
    ) -> Result<NewSession, Denied> {
        self.admit_address(caller)?;
        let token = Token::of_session(random()?);
        let change = self.change(caller);
        let hash = token.hash();
        let signed_in = match sign_in {
            SignIn::Password { email, password } => {
                self.throttle.admit(&email.folded(), self.now())?;
                let known = self.store.credentials(email).await?;
                let password_hash = known.as_ref().and_then(|known| known.password_hash.clone());
                let is_good = self.passwords.verify(password, password_hash).await?;
                let user = known
                    .filter(|_| is_good)
                    .ok_or(Denied::InvalidCredentials)?;
                self.store
                    .create_session(user.user_id, hash, remember_me, change)
                    .await?
            }
            SignIn::Link { link_token, email } => {
                let link = TokenHash::of(&link_token);
                let used =
                    self.store
                        .create_session_by_link(link, email, hash, remember_me, change);
                used.await?.ok_or(Denied::InvalidCredentials)?
            }
        };
        Ok(NewSession { signed_in, token })
    }

    /// Mails a link that signs in whoever reads it, once. Whether the address is known makes no difference.
    ///
    /// # Errors
    /// The mail cannot be sent; too many tries.
    pub async fn request_link(
        &self,
        caller: Caller<'_>,
        email: EmailAddress,
    ) -> Result<Moment, Denied> {
        self.admit_address(caller)?;
        self.throttle.admit(&email.folded(), self.now())?;
        let token = Token::of_link(random()?);
        let expires_at = self.now() + LINK_LIFE;
        let about = About::SignInLink {
            link_token: token.text().to_owned(),
            expires_at,
        };
        self.send_link(caller, email, about, &token, None, expires_at)
            .await?;
        Ok(expires_at)
    }

    /// Mails somebody a link that makes them a client of the integration.
    ///
    /// # Errors
    /// The mail cannot be sent; too many tries.
    pub async fn invite(&self, scope: &Scope<'_>, email: EmailAddress) -> Result<Moment, Denied> {
        self.throttle.admit(&email.folded(), self.now())?;
        let token = Token::of_link(random()?);
        let expires_at = self.now() + INVITATION_LIFE;
        let about = About::Invitation {
            integration: self.integration(scope).await?.name,
            link_token: token.text().to_owned(),
            expires_at,
        };
        self.send_link(
            scope.caller(),
            email,
            about,
            &token,
            Some(scope),
            expires_at,
        )
        .await?;
        Ok(expires_at)
    }

    /// The mail goes first: a link that nobody was told of must not be kept.
    async fn send_link(
        &self,
        caller: Caller<'_>,
        email: EmailAddress,
        about: About,
        token: &Token,
        scope: Option<&Scope<'_>>,
        expires_at: Moment,
    ) -> Result<(), Denied> {
        let to = email.as_str().to_owned();
        self.send(caller, vec![Letter { to, about }]).await?;
        let new = NewSignInLink {
            token: token.hash(),
            email,
            integration_id: scope.map(Scope::integration_id),
            expires_at,
        };
        Ok(self
            .store
            .create_sign_in_link(new, self.change(caller))
            .await?)
    }

    /// Ends the caller's session.
    ///
    /// # Errors
    /// Forbidden to callers without one.
    pub async fn delete_session(&self, caller: Caller<'_>) -> Result<Session, Denied> {
        let signed_in = caller.principal.signed_in().ok_or(Denied::Forbidden)?;
        let ended = self
            .store
            .delete_session(signed_in.session.id, self.change(caller));
        let session = ended.await?;
        self.principals.clear();
        Ok(session)
    }

    /// Writes down when sessions were last used. Called now and then, and before the process ends.
    ///
    /// # Errors
    /// When the store cannot be written; what is noted stays so.
    pub async fn write_last_uses(&self) -> Result<(), StoreError> {
        let uses = self.last_use.all();
        if uses.is_empty() {
            return Ok(());
        }
        self.store.touch_sessions(uses.clone()).await?;
        self.last_use.written(&uses);
        Ok(())
    }

    /// The session, unless it is over; notes its use.
    pub(crate) fn alive(
        &self,
        signed_in: &Arc<SignedIn>,
        now: Moment,
        is_use: Use,
    ) -> Result<Arc<SignedIn>, Denied> {
        let mut session = signed_in.session.clone();
        let noted = self.last_use.of(session.id);
        session.last_used_at = noted
            .unwrap_or(session.last_used_at)
            .max(session.last_used_at);
        if session.is_expired(signed_in.user.remember_me, now) {
            return Err(Denied::SessionExpired);
        }
        if is_use == Use::Made {
            self.last_use.note(session.id, now);
            session.last_used_at = now.max(session.last_used_at);
        }
        let user = signed_in.user.clone();
        Ok(Arc::new(SignedIn { session, user }))
    }

    /// Counts a try from the caller's address.
    pub(crate) fn admit_address(&self, caller: Caller<'_>) -> Result<(), Denied> {
        match caller.address {
            Some(address) => self.throttle.admit(&address.to_string(), self.now()),
            None => Ok(()),
        }
    }
}

/// Random bytes for a token.
pub(crate) fn random() -> Result<[u8; 32], Denied> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| Denied::Store(StoreError::Failed(error.to_string())))?;
    Ok(bytes)
}
