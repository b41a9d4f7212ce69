//! `sessions/request_link`.

use app::Access;
use contract::{Reply, Route, status};
use domain::email_address::EmailAddress;
use domain::time::Moment;
use serde::Serialize;

use super::EMAIL;
use super::shape::MAILED;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};

pub(crate) const ROUTE: Route = Route::post("sessions", "request_link")
    .about(
        "Sessions Request link API",
        "Mails a link that signs in whoever reads it: once, within 15 minutes. The answer is the same whether \
         the address is known or not; a new one becomes a user without a role when the link is used.",
    )
    .params(&[EMAIL.at(100).required()])
    .answers(&[&status::MANDRILL_EMAIL_FAILED])
    .data(&MAILED)
    .example(r#"{"email": "ann@example.com"}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Open,
    handle: |call| Box::pin(handle(call)),
};

/// A link that was mailed.
#[derive(Serialize)]
pub(crate) struct Mailed {
    pub(crate) email: String,
    pub(crate) expires_at: Moment,
}

async fn handle(call: Call<'_>) -> Answer {
    let email = call.input.string_as("email", str::parse::<EmailAddress>);
    let email = call.input.finish(|| email)?;
    let to = email.as_str().to_owned();
    let expires_at = call.app().request_link(call.caller, email).await?;
    Ok(Reply::of(&Mailed {
        email: to,
        expires_at,
    })?)
}
