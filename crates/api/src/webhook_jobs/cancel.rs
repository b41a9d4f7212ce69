//! `webhook_jobs/cancel`.

use app::Access;
use contract::{Reply, Route, TOKEN};
use domain::id::WebhookJobId;

use super::ID;
use super::shape::WEBHOOK_JOB;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::params::INTEGRATION_ID;

pub(crate) const ROUTE: Route = Route::post("webhook_jobs", "cancel")
    .about(
        "Webhook Jobs Cancel API",
        "Withdraws a waiting job and releases the next one of its order. A job that is being delivered at \
         this moment is canceled if that attempt fails (`cancel_requested`).",
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
    let job = call
        .app()
        .cancel_webhook_job(&scope, WebhookJobId(id))
        .await?;
    Ok(Reply::of(&job)?)
}
