//! `applications/update`.

use app::Access;
use contract::{Param, Reply, Route, TOKEN};
use domain::id::ApplicationId;
use store::ApplicationChanges;

use super::shape::APPLICATION;
use super::{ID, SLUG};
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::integrations::fields::key;
use crate::params::kept;

pub(crate) const ROUTE: Route = Route::put("applications", "update")
    .about(
        "Applications Update API",
        "Renames an application, or switches its tokens off and on. What is absent stays.",
    )
    .params(&[
        TOKEN,
        ID,
        SLUG.at(300),
        Param::boolean("active")
            .at(400)
            .about("Whether its tokens are accepted."),
    ])
    .data(&APPLICATION)
    .example(r#"{"token": "pra_…", "id": 2, "active": false}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Operators,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let id = input.integer("id").map(ApplicationId);
    let changes = ApplicationChanges {
        slug: kept(input, "slug", |input, name| input.string_as(name, key)),
        active: kept(input, "active", |input, name| input.boolean(name)),
    };
    let id = input.finish(|| id)?;
    let updated = call.app().update_application(call.caller, id, changes);
    Ok(Reply::of(&updated.await?)?)
}
