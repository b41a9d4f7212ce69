//! `services/update`.

use app::Access;
use contract::{Param, Reply, Route, TOKEN};
use domain::id::ServiceId;

use super::shape::SERVICE;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};

pub(crate) const ROUTE: Route = Route::put("services", "update")
    .about(
        "Services Update API",
        "Switches a service of the API off or on, on all servers within a second. Its routes then answer \
         `service-not-found`. Whoever has switched off this very service gets it back at the command line.",
    )
    .params(&[
        TOKEN,
        Param::integer("id")
            .at(200)
            .required()
            .about("The id of the service."),
        Param::boolean("deployed")
            .at(300)
            .required()
            .about("Whether it answers."),
    ])
    .data(&SERVICE)
    .example(r#"{"token": "pra_…", "id": 1, "deployed": false}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Operators,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let id = input.integer("id").map(ServiceId);
    let deployed = input.boolean("deployed");
    let (id, deployed) = input.finish(|| Some((id?, deployed?)))?;
    let updated = call.app().update_service(call.caller, id, deployed);
    Ok(Reply::of(&updated.await?)?)
}
