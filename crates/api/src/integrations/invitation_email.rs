//! `integrations/invitation_email`.

use app::Access;
use contract::{Param, Reply, Route, TOKEN, status};
use domain::email_address::EmailAddress;

use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::sessions::EMAIL;
use crate::sessions::request_link::Mailed;
use crate::sessions::shape::MAILED;

pub(crate) const ROUTE: Route = Route::post("integrations", "invitation_email")
    .about(
        "Integrations Invitation email API",
        "Invites somebody to an integration by mail. The link in it is good for seven days; using it makes them \
         a client who is scoped to the integration.",
    )
    .params(&[
        TOKEN,
        Param::integer("id")
            .at(100)
            .required()
            .about("The id of the integration."),
        EMAIL.at(105).required(),
    ])
    .answers(&[&status::MANDRILL_EMAIL_FAILED])
    .data(&MAILED)
    .example(r#"{"token": "pra_…", "id": 1, "email": "bob@example.com"}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Managers,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let scope = call.scope_of("id").await?;
    let email = call.input.string_as("email", str::parse::<EmailAddress>);
    let (scope, email) = call.input.finish(|| Some((scope?, email?)))?;
    let to = email.as_str().to_owned();
    let expires_at = call.app().invite(&scope, email).await?;
    Ok(Reply::of(&Mailed {
        email: to,
        expires_at,
    })?)
}
