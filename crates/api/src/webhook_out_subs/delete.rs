//! `webhook_out_subs/delete`.

use app::Access;
use contract::{Reply, Route, TOKEN};
use domain::id::WebhookOutSubId;

use super::ID;
use super::shape::WEBHOOK_OUT_SUB;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::params::INTEGRATION_ID;

pub(crate) const ROUTE: Route = Route::post("webhook_out_subs", "delete")
    .about(
        "Webhook Outgoing Subscribers Delete API",
        "Deletes a subscription: cancels what waits for it, keeps its history, frees its key.",
    )
    .params(&[TOKEN, INTEGRATION_ID, ID])
    .data(&WEBHOOK_OUT_SUB)
    .example(r#"{"token": "pra_…", "integration_id": 1, "id": 1}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Menders,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let (scope, id) = call.record().await?;
    let shown = call
        .app()
        .delete_webhook_out_sub(&scope, WebhookOutSubId(id))
        .await?;
    Ok(Reply::of(&shown)?)
}
