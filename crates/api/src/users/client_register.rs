//! `users/client_register`.

use app::Access;
use contract::{Route, TOKEN};

use super::shape::REGISTERED;
use super::{NAME, registered};
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};

pub(crate) const ROUTE: Route = Route::post("users", "client_register")
    .about(
        "Users Client register API",
        "Makes a user without a role a client. The token is that of the `session` in the `client-required` \
         answer; it stays good. What the user reached in a role that was taken away does not come back.",
    )
    .params(&[TOKEN, NAME.at(200).required()])
    .data(&REGISTERED)
    .example(r#"{"token": "prs_…", "name": "Ann Example"}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Sessions,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let name = call.input.string("name");
    let name = call.input.finish(|| name)?;
    let made = call
        .app()
        .register_user_as_client(call.caller, name)
        .await?;
    registered(&made, call.token)
}
