//! `clients/register`.

use app::Access;
use contract::Route;
use domain::email_address::EmailAddress;

use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::sessions::EMAIL;
use crate::users::shape::REGISTERED;
use crate::users::{self, NAME, PASSWORD};

pub(crate) const ROUTE: Route = Route::post("clients", "register")
    .about(
        "Clients Register API",
        "Registers a new user as a client and signs them in. Until somebody scopes them to an integration they \
         see none.",
    )
    .sensitive()
    .params(&[
        EMAIL.at(1).required(),
        PASSWORD.at(2).required(),
        NAME.at(3).required(),
    ])
    .data(&REGISTERED)
    .example(
        r#"{"email": "ann@example.com", "password": "correct horse battery staple", "name": "Ann Example"}"#,
    );

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Open,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let email = input.string_as("email", str::parse::<EmailAddress>);
    let (password, name) = (input.string("password"), input.string("name"));
    let (email, password, name) = input.finish(|| Some((email?, password?, name?)))?;
    let registered = call
        .app()
        .register_client(call.caller, email, password, name)
        .await?;
    let (registered, token) = registered;
    users::registered(&registered, token.text())
}
