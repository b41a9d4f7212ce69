//! `users/update`.

use app::Access;
use contract::{Param, Reply, Route, TOKEN};

use super::shape::USER;
use super::{NAME, PASSWORD};
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::params::kept;
use crate::sessions::{PASSWORD_CHARS_MAX, REMEMBER_ME};

pub(crate) const ROUTE: Route = Route::put("users", "update")
    .about(
        "Users Update API",
        "Changes the user whose session the token belongs to. What is absent stays. A new password ends all \
         other sessions of the user. Open to users without a role.",
    )
    .params(&[
        TOKEN,
        NAME.at(300),
        PASSWORD.at(400),
        REMEMBER_ME.at(500),
        CURRENT_PASSWORD,
    ])
    .data(&USER)
    .example(r#"{"token": "prs_…", "name": "Ann B. Example", "remember_me": true}"#);

/// Anything may be tried, so that a password from before the limits is one too.
const CURRENT_PASSWORD: Param = Param::string("current_password")
    .at(600)
    .chars(0, PASSWORD_CHARS_MAX)
    .about("The password of now. Where it is given, nothing is changed unless it is right: ask for it when somebody sits at a screen.");

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Sessions,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let name = kept(input, "name", |input, name| input.string(name));
    let password = kept(input, "password", |input, name| input.string(name));
    let current_password = kept(input, "current_password", |input, name| input.string(name));
    let remember_me = kept(input, "remember_me", |input, name| input.boolean(name));
    input.finish(|| Some(()))?;
    let updated = call
        .app()
        .update_own_user(call.caller, name, password, current_password, remember_me)
        .await?;
    Ok(Reply::of(&updated)?)
}
