//! `integrations/show`.

use app::Access;
use contract::{Reply, Route, TOKEN};

use super::fields::ID;
use super::shape::INTEGRATION;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};

pub(crate) const ROUTE: Route = Route::post("integrations", "show")
    .about("Integrations Show API", "Shows an integration.")
    .params(&[TOKEN, ID])
    .data(&INTEGRATION)
    .example(r#"{"token": "pra_…", "id": 1}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Readers,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let scope = call.scope_of("id").await?;
    let scope = call.input.finish(|| scope)?;
    let integration = call.app().integration(&scope).await?;
    Ok(Reply::of(&integration)?)
}
