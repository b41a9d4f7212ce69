//! `webhook_out_subs/secret`.

use app::Access;
use contract::{Reply, Route, TOKEN};
use domain::id::WebhookOutSubId;

use super::ID;
use super::shape::WITH_SECRET;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::params::INTEGRATION_ID;

pub(crate) const ROUTE: Route = Route::post("webhook_out_subs", "secret")
    .about(
        "Webhook Outgoing Subscribers Secret API",
        "Shows a subscription with its signing secret. The audit trail keeps who asked for it.",
    )
    .params(&[TOKEN, INTEGRATION_ID, ID])
    .data(&WITH_SECRET)
    .example(r#"{"token": "pra_…", "integration_id": 1, "id": 1}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Menders,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let (scope, id) = call.record().await?;
    let id = WebhookOutSubId(id);
    let shown = call.app().webhook_out_sub_secret(&scope, id).await?;
    Ok(Reply::of(&shown)?)
}
