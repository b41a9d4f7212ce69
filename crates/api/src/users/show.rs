//! `users/show`.

use app::Access;
use contract::{Param, Reply, Route, TOKEN};
use domain::id::UserId;

use super::shape::USER;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};

pub(crate) const ROUTE: Route = Route::post("users", "show")
    .about(
        "Users Show API",
        "Shows the user whose session the token belongs to; to employees, any user. Open to users without a \
         role.",
    )
    .params(&[
        TOKEN,
        Param::integer("id")
            .at(200)
            .about("The id of the user; one's own when absent. Required with an application's token."),
    ])
    .data(&USER)
    .example(r#"{"token": "prs_…"}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Tokens,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let id = call.input.integer("id").map(UserId);
    if id.is_none() && !call.input.is_given("id") && call.caller.principal.signed_in().is_none() {
        call.input.missing("id");
    }
    let id = call.input.finish(|| Some(id))?;
    Ok(Reply::of(&call.app().user(call.caller, id).await?)?)
}
