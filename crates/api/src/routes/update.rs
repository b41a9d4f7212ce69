//! `routes/update`.

use app::Access;
use contract::{Param, Reply, Route, TOKEN};
use domain::id::RouteId;

use super::shape;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};

pub(crate) const ROUTE: Route = Route::put("routes", "update")
    .about(
        "Routes Update API",
        "Switches a route of the API off or on, on all servers within a second. It then answers \
         `route-not-found`. Whoever has switched off this very route gets it back at the command line.",
    )
    .params(&[
        TOKEN,
        Param::integer("id")
            .at(200)
            .required()
            .about("The id of the route."),
        Param::boolean("deployed")
            .at(300)
            .required()
            .about("Whether it answers."),
    ])
    .data(&shape::ROUTE)
    .example(r#"{"token": "pra_…", "id": 1, "deployed": false}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Operators,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let id = input.integer("id").map(RouteId);
    let deployed = input.boolean("deployed");
    let (id, deployed) = input.finish(|| Some((id?, deployed?)))?;
    let updated = call.app().update_route(call.caller, id, deployed);
    Ok(Reply::of(&updated.await?)?)
}
