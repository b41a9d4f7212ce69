//! `webhook_out_subs/show`.

use app::Access;
use contract::{Reply, Route, TOKEN};
use domain::id::WebhookOutSubId;

use super::ID;
use super::shape::WEBHOOK_OUT_SUB;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::params::INTEGRATION_ID;

pub(crate) const ROUTE: Route = Route::post("webhook_out_subs", "show")
    .about(
        "Webhook Outgoing Subscribers Show API",
        "Shows a subscription, with the health of its lane.",
    )
    .params(&[TOKEN, INTEGRATION_ID, ID])
    .data(&WEBHOOK_OUT_SUB)
    .example(r#"{"token": "pra_…", "integration_id": 1, "id": 1}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Readers,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let (scope, id) = call.record().await?;
    let shown = call
        .app()
        .webhook_out_sub(&scope, WebhookOutSubId(id))
        .await?;
    Ok(Reply::of(&shown)?)
}
