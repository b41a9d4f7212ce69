//! `sessions/create`.

use app::{Access, NewSession, SignIn};
use contract::{Input, Param, Reply, Route, status};
use domain::email_address::EmailAddress;

use super::shape::CREATED;
use super::{EMAIL, PASSWORD_CHARS_MAX, REMEMBER_ME, SessionOfUser, ShownSession};
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};

/// Longest token of a link in characters; ours are shorter.
const LINK_TOKEN_CHARS_MAX: usize = 200;

pub(crate) const ROUTE: Route = Route::post("sessions", "create")
    .about(
        "Sessions Create API",
        "Signs a user in, by e-mail address and password or by the token of a mailed link. The answer's \
         `token` then goes with every request. A user without any role is answered `client-required`, with a \
         session to register with.",
    )
    .sensitive()
    .params(&[
        EMAIL.at(1),
        Param::string("password")
            .at(2)
            .chars(1, PASSWORD_CHARS_MAX)
            .about("The user's password. Required, like `email`, unless there is a `link_token`."),
        Param::string("link_token")
            .at(3)
            .chars(1, LINK_TOKEN_CHARS_MAX)
            .about("The token of a sign-in link or of an invitation, in place of a password. Good once."),
        REMEMBER_ME.at(4),
    ])
    .answers(&[&status::INVALID_CREDENTIALS, &status::CLIENT_REQUIRED])
    .data(&CREATED)
    .example(r#"{"email": "ann@example.com", "password": "correct horse battery staple"}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Open,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let sign_in = sign_in(input);
    let remember_me = input.boolean("remember_me");
    let sign_in = input.finish(|| sign_in)?;
    let NewSession { signed_in, token } = call
        .app()
        .create_session(call.caller, sign_in, remember_me)
        .await?;
    let session = ShownSession::with_token(&signed_in, token.text());
    if signed_in.user.roles.is_empty() {
        return Err(call.api.client_required(&session).into());
    }
    let user = &signed_in.user;
    Ok(Reply::of(&SessionOfUser { session, user })?)
}

fn sign_in(input: &Input<'_>) -> Option<SignIn> {
    let email = input.string_as("email", str::parse::<EmailAddress>);
    if input.is_given("link_token") {
        if input.is_given("password") {
            input.fault(
                "password",
                "cannot stand beside link_token; leave one of them out",
            );
        }
        let link_token = input.string("link_token")?;
        return Some(SignIn::Link { link_token, email });
    }
    for name in ["email", "password"] {
        if !input.is_given(name) {
            input.missing(name);
        }
    }
    Some(SignIn::Password {
        email: email?,
        password: input.string("password")?,
    })
}
