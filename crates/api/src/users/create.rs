//! `users/create`.

use app::Access;
use contract::{IDEMPOTENCY_KEY, Route, TOKEN};
use domain::email_address::EmailAddress;
use store::NewUser;

use super::shape::CREATED;
use super::{NAME, ROLES, SCOPED_INTEGRATIONS, roles, scope_references, scoped_integrations};
use crate::call::Call;
use crate::created;
use crate::endpoint::{Answer, Endpoint};
use crate::sessions::EMAIL;

pub(crate) const ROUTE: Route = Route::post("users", "create")
    .about(
        "Users Create API",
        "Makes a user. They sign in by a link (`sessions/request_link`) and may then set a password.",
    )
    .params(&[
        TOKEN,
        EMAIL.at(200).required(),
        NAME.at(300),
        ROLES.at(400),
        SCOPED_INTEGRATIONS.at(500),
        IDEMPOTENCY_KEY.at(600),
    ])
    .data(&CREATED)
    .example(
        r#"{"token": "pra_…", "email": "bob@example.com", "name": "Bob Example", "roles": ["liaison"],
 "scoped_integrations": [1]}"#,
    );

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Operators,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let email = input.string_as("email", str::parse::<EmailAddress>);
    let integrations = scoped_integrations(input);
    call.refuse_faults(|| scope_references(integrations.as_deref()))
        .await?;
    let new = input.finish(|| {
        Some(NewUser {
            email: email?,
            name: input.string("name"),
            roles: roles(input).unwrap_or_default(),
            scoped_integrations: integrations.unwrap_or_default(),
            idempotency: call.idempotency(),
        })
    })?;
    let made = call.app().create_user(call.caller, new).await?;
    Ok(created::reply(&made)?)
}
