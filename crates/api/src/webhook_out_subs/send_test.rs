//! `webhook_out_subs/send_test`.

use app::Access;
use contract::{Reply, Route, TOKEN};
use domain::id::WebhookOutSubId;

use super::ID;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::params::INTEGRATION_ID;
use crate::webhook_jobs::shape::WEBHOOK_JOB;

pub(crate) const ROUTE: Route = Route::post("webhook_out_subs", "send_test")
    .about(
        "Webhook Outgoing Subscribers Send test API",
        "Sends a sample order to the subscription, marked as a test and outside of its ordering. Answers the job.",
    )
    .params(&[TOKEN, INTEGRATION_ID, ID])
    .data(&WEBHOOK_JOB)
    .example(r#"{"token": "pra_…", "integration_id": 1, "id": 1}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Menders,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let (scope, id) = call.record().await?;
    let shown = call.app().send_test(&scope, WebhookOutSubId(id)).await?;
    Ok(Reply::of(&shown)?)
}
