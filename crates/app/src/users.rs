//! Users, as they register and are managed.

use domain::email_address::EmailAddress;
use domain::id::{IntegrationId, UserId};
use domain::token::Token;
use domain::user::{Role, User};
use store::{Created, NewClient, NewUser, Page, Refusal, Registered, UserChanges, UserQuery};

use crate::access::Access;
use crate::app::App;
use crate::caller::Caller;
use crate::denied::Denied;
use crate::sessions::random;

impl App {
    /// Makes a user who is a client, and signs them in.
    ///
    /// # Errors
    /// Refused where the address is taken (`email`); too many tries.
    pub async fn register_client(
        &self,
        caller: Caller<'_>,
        email: EmailAddress,
        password: String,
        name: String,
    ) -> Result<(Registered, Token), Denied> {
        self.admit_address(caller)?;
        let token = Token::of_session(random()?);
        let new = NewClient {
            email,
            name,
            password_hash: self.passwords.hash(password).await?,
            session: token.hash(),
        };
        let registered = self.store.register_client(new, self.change(caller)).await?;
        Ok((registered, token))
    }

    /// Makes the caller, a user without a role, a client.
    ///
    /// # Errors
    /// Refused where the user has a role already (`token`). Forbidden to callers without a session.
    pub async fn register_user_as_client(
        &self,
        caller: Caller<'_>,
        name: String,
    ) -> Result<Registered, Denied> {
        let signed_in = caller.principal.signed_in().ok_or(Denied::Forbidden)?;
        let session = signed_in.session.clone();
        let change = self.change(caller);
        let registered = self.store.register_user_as_client(session, name, change);
        let registered = registered.await?;
        self.principals.clear();
        Ok(registered)
    }

    /// Makes a user, who signs in by a link.
    ///
    /// # Errors
    /// Refused where the address is taken or an integration does not exist.
    pub async fn create_user(
        &self,
        caller: Caller<'_>,
        new: NewUser,
    ) -> Result<Created<User>, Denied> {
        Ok(self.store.create_user(new, self.change(caller)).await?)
    }

    /// Changes the caller's own user. A new password ends all their other sessions. `current_password`, if it is said, must be the
    /// one of now.
    ///
    /// # Errors
    /// Forbidden to callers without a session; refused where the password of now is another (`current_password`); too many tries.
    pub async fn update_own_user(
        &self,
        caller: Caller<'_>,
        name: Option<String>,
        password: Option<String>,
        current_password: Option<String>,
        remember_me: Option<bool>,
    ) -> Result<User, Denied> {
        let signed_in = caller.principal.signed_in().ok_or(Denied::Forbidden)?;
        if let Some(current) = current_password {
            self.check_password(&signed_in.user, current).await?;
        }
        let password_hash = match password {
            Some(password) => Some(self.passwords.hash(password).await?),
            None => None,
        };
        let changes = UserChanges {
            name,
            password_hash,
            remember_me,
        };
        let (user, session) = (signed_in.user.id, Some(signed_in.session.id));
        let change = self.change(caller);
        let updated = self
            .store
            .update_user(user, changes, session, change)
            .await?;
        self.principals.clear();
        Ok(updated)
    }

    /// Each try counts as one of signing in.
    async fn check_password(&self, user: &User, password: String) -> Result<(), Denied> {
        let wrong = || {
            Denied::Refused(vec![Refusal::new(
                "current_password",
                "is not the password",
            )])
        };
        let email: EmailAddress = user.email.parse().map_err(|_| wrong())?;
        self.throttle.admit(&email.folded(), self.now())?;
        let known = self.store.credentials(email).await?;
        let hash = known.and_then(|known| known.password_hash);
        match self.passwords.verify(password, hash).await? {
            true => Ok(()),
            false => Err(wrong()),
        }
    }

    /// Sets what a user may be, and where.
    ///
    /// # Errors
    /// Refused where they, or an integration, do not exist.
    pub async fn update_user_roles(
        &self,
        caller: Caller<'_>,
        id: UserId,
        roles: Option<Vec<Role>>,
        scoped_integrations: Option<Vec<IntegrationId>>,
    ) -> Result<User, Denied> {
        let change = self.change(caller);
        let updated = self
            .store
            .update_user_roles(id, roles, scoped_integrations, change);
        let updated = updated.await?;
        self.principals.clear();
        Ok(updated)
    }

    /// The user of this id, or the caller's own where none is named. Others are shown to operators only.
    ///
    /// # Errors
    /// Refused where there is none, or the caller may not see it (`id`).
    pub async fn user(&self, caller: Caller<'_>, id: Option<UserId>) -> Result<User, Denied> {
        let own = caller.principal.signed_in().map(|own| own.user.id);
        let is_operator = Access::Operators.check(caller.principal).is_ok();
        let id = match (id, own) {
            (Some(id), own) if is_operator || own == Some(id) => id,
            (None, Some(own)) => own,
            _ => return Err(Denied::does_not_exist("id")),
        };
        let found = self.store.user(id).await?;
        found.ok_or_else(|| Denied::does_not_exist("id"))
    }

    /// Users.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn users(&self, query: UserQuery) -> Result<Page<User>, Denied> {
        Ok(self.store.users(query).await?)
    }
}
