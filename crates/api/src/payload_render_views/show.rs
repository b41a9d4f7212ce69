//! `payload_render_views/show`.

use app::Access;
use contract::{Reply, Route, TOKEN};
use domain::id::PayloadRenderViewId;

use super::fields::{self, Shown};
use super::shape::SHOWN;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};

pub(crate) const ROUTE: Route = Route::post("payload_render_views", "show")
    .about(
        "Payload Render Views Show API",
        "Shows a payload view with its template: the newest revision, or another (`shown_revision` says which).",
    )
    .params(&[
        TOKEN,
        fields::INTEGRATION_ID,
        fields::ID.required(),
        fields::REVISION.at(300),
    ])
    .data(&SHOWN)
    .example(r#"{"token": "pra_…", "integration_id": 1, "id": 1}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Readers,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let scope = call.scope().await?;
    let id = input.integer("id").map(PayloadRenderViewId);
    let revision = input
        .integer("revision")
        .and_then(|number| u32::try_from(number).ok());
    let id = input.finish(|| id)?;
    let shown = call
        .app()
        .payload_render_view(call.caller, scope.as_ref(), id, revision)
        .await?;
    Ok(Reply::of(&Shown::of(&shown))?)
}
