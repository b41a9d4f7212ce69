//! The first employee: made by whoever started the server, over a link that it prints. The link is kept in memory only.

use std::time::Duration;

use domain::email_address::EmailAddress;
use domain::time::Moment;
use domain::token::{Token, TokenHash};
use domain::user::Role;
use store::{ListQuery, NewUser, PageRequest, Sort, Start, StoreError, UserQuery};
use tokio::sync::Mutex;

use crate::app::App;
use crate::caller::Caller;
use crate::denied::Denied;
use crate::sessions::{NewSession, random};

/// How long the link is good: long enough to find a browser.
const LINK_LIFE: Duration = Duration::from_secs(60 * 60);

/// The link that makes the first employee, while there is one.
#[derive(Default)]
pub(crate) struct FirstRun {
    /// Held while the employee is made, so that the link makes one only.
    link: Mutex<Option<Link>>,
}

struct Link {
    token: TokenHash,
    expires_at: Moment,
}

impl App {
    /// The token of a link by which the first employee is made, once; none where there is an employee already. A new one takes the
    /// place of the one before, and all end with the process.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn offer_first_run(&self) -> Result<Option<Token>, Denied> {
        if self.has_employee().await? {
            return Ok(None);
        }
        let token = Token::of_link(random()?);
        let link = Link {
            token: token.hash(),
            expires_at: self.now() + LINK_LIFE,
        };
        *self.first_run.link.lock().await = Some(link);
        Ok(Some(token))
    }

    /// Whether the token is that of the link, and still good.
    pub async fn is_first_run(&self, token: &str) -> bool {
        is_good(self.first_run.link.lock().await.as_ref(), token, self.now())
    }

    /// Makes the first employee and signs them in; the link is then used up.
    ///
    /// # Errors
    /// The link is not good, or somebody else is an employee by now; refused where the address is taken.
    pub async fn create_first_employee(
        &self,
        caller: Caller<'_>,
        token: &str,
        email: EmailAddress,
    ) -> Result<NewSession, Denied> {
        self.admit_address(caller)?;
        let mut link = self.first_run.link.lock().await;
        if !is_good(link.as_ref(), token, self.now()) {
            return Err(Denied::InvalidCredentials);
        }
        if self.has_employee().await? {
            *link = None;
            return Err(Denied::InvalidCredentials);
        }
        let new = NewUser {
            email,
            name: None,
            roles: vec![Role::Employee],
            scoped_integrations: Vec::new(),
            idempotency: None,
        };
        let change = self.change(caller);
        let user = self.store.create_user(new, change.clone()).await?.record;
        *link = None;
        let token = Token::of_session(random()?);
        let signed_in = self
            .store
            .create_session(user.id, token.hash(), None, change)
            .await?;
        Ok(NewSession { signed_in, token })
    }

    async fn has_employee(&self) -> Result<bool, StoreError> {
        let list = ListQuery {
            search: None,
            sort: Sort {
                by: "id",
                descending: false,
            },
            page: PageRequest {
                size: 1,
                start: Start::Offset(0),
            },
            count: false,
        };
        let query = UserQuery {
            roles: vec![Role::Employee],
            integration_id: None,
            list,
        };
        Ok(!self.store.users(query).await?.items.is_empty())
    }
}

fn is_good(link: Option<&Link>, token: &str, now: Moment) -> bool {
    link.is_some_and(|link| link.token == TokenHash::of(token) && now < link.expires_at)
}
