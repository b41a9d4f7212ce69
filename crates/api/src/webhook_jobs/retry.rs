//! `webhook_jobs/retry`.

use app::Access;
use contract::{Reply, Route, TOKEN};
use domain::id::WebhookJobId;

use super::shape::WEBHOOK_JOB;
use super::{ID, RERENDER};
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::params::INTEGRATION_ID;

pub(crate) const ROUTE: Route = Route::post("webhook_jobs", "retry")
    .about(
        "Webhook Jobs Retry API",
        "Makes a waiting job due now. A final one is repeated: a new job with the same payload, outside of \
         the ordering, whose `retry_of` names it. Its subscription must be active.",
    )
    .params(&[TOKEN, INTEGRATION_ID, ID, RERENDER.at(300)])
    .data(&WEBHOOK_JOB)
    .example(r#"{"token": "pra_…", "integration_id": 1, "id": 1}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Readers,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let rerender = call.input.boolean("rerender").unwrap_or(false);
    let (scope, id) = call.record().await?;
    let retried = call
        .app()
        .retry_webhook_job(&scope, WebhookJobId(id), rerender)
        .await?;
    Ok(Reply::of(&retried)?)
}
