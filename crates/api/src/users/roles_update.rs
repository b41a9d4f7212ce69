//! `users/roles_update`.

use app::Access;
use contract::{Param, Reply, Route, TOKEN};
use domain::id::UserId;

use super::shape::USER;
use super::{ROLES, SCOPED_INTEGRATIONS, roles, scope_references, scoped_integrations};
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};

pub(crate) const ROUTE: Route = Route::post("users", "roles_update")
    .about(
        "Users Roles update API",
        "Sets what a user may be, and which integrations that reaches. What is absent stays; an empty array \
         takes all away. It counts within a second.",
    )
    .params(&[
        TOKEN,
        Param::integer("id")
            .at(200)
            .required()
            .about("The id of the user."),
        ROLES.at(300),
        SCOPED_INTEGRATIONS.at(400),
    ])
    .data(&USER)
    .example(r#"{"token": "pra_…", "id": 3, "roles": ["client"], "scoped_integrations": [1]}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Operators,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let id = input.integer("id").map(UserId);
    let (roles, integrations) = (roles(input), scoped_integrations(input));
    call.refuse_faults(|| scope_references(integrations.as_deref()))
        .await?;
    let id = input.finish(|| id)?;
    let updated = call
        .app()
        .update_user_roles(call.caller, id, roles, integrations);
    Ok(Reply::of(&updated.await?)?)
}
