//! Sessions: signing in, and who is signed in.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod request_link;
pub(crate) mod shape;
pub(crate) mod show;

use contract::{Failure, Param};
use domain::session::Session;
use domain::time::Moment;
use domain::user::User;
use serde::Serialize;
use store::SignedIn;

use crate::api::Api;

/// Longest address in characters (RFC 5321 section 4.5.3.1.3, less the brackets of a path).
const EMAIL_CHARS_MAX: usize = domain::email_address::ADDRESS_CHARS_MAX;
/// Longest password in characters: more than any generator makes, little enough to be hashed quickly.
pub(crate) const PASSWORD_CHARS_MAX: usize = 128;

pub(crate) const EMAIL: Param = Param::string("email")
    .chars(3, EMAIL_CHARS_MAX)
    .about("The e-mail address of the user; upper and lower case are the same.");

pub(crate) const REMEMBER_ME: Param = Param::boolean("remember_me").about(
    "Saved as the user's preference: whether their sessions last until they sign out, instead of seven days \
     and 72 hours without a request.",
);

/// A session as answers bear it.
#[derive(Serialize)]
pub(crate) struct ShownSession<'a> {
    #[serde(flatten)]
    session: &'a Session,
    /// When it ends if it is not used; null for users who are remembered.
    expires_at: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
}

/// A session with its user.
#[derive(Serialize)]
struct SessionOfUser<'a> {
    #[serde(flatten)]
    session: ShownSession<'a>,
    user: &'a User,
}

impl<'a> ShownSession<'a> {
    pub(crate) fn new(session: &'a Session, user: &User) -> ShownSession<'a> {
        ShownSession {
            session,
            expires_at: session.expires_at(user.remember_me),
            token: None,
        }
    }

    pub(crate) fn with_token(signed_in: &'a SignedIn, token: &'a str) -> ShownSession<'a> {
        let shown = ShownSession::new(&signed_in.session, &signed_in.user);
        shown.and_token(token)
    }

    pub(crate) fn and_token(mut self, token: &'a str) -> ShownSession<'a> {
        self.token = Some(token);
        self
    }
}

impl Api {
    /// What a user without a role is told.
    pub(crate) fn client_required(&self, session: &ShownSession<'_>) -> Failure {
        let message = format!(
            "The user has no role yet: register as a client with /api/v1/users/client_register and the \
             session's token, or at {}.",
            self.settings.registration_url
        );
        Failure::client_required(message, session)
    }
}
