//! `webhook_jobs/show`.

use app::Access;
use contract::{Failure, Reply, Route, TOKEN};
use domain::id::WebhookJobId;
use domain::webhook_job::{WebhookAttempt, WebhookJob};
use serde::Serialize;
use serde_json::value::RawValue;
use store::JobDetail;

use super::ID;
use super::shape::SHOWN;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::params::INTEGRATION_ID;

pub(crate) const ROUTE: Route = Route::post("webhook_jobs", "show")
    .about(
        "Webhook Jobs Show API",
        "Shows a job with its payload, every attempt, and the earlier job that it waits for.",
    )
    .params(&[TOKEN, INTEGRATION_ID, ID])
    .data(&SHOWN)
    .example(r#"{"token": "pra_…", "integration_id": 1, "id": 1}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Readers,
    handle: |call| Box::pin(handle(call)),
};

/// A job with all that belongs to it.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    job: &'a WebhookJob,
    attempts: &'a [WebhookAttempt],
    payload: Option<&'a RawValue>,
}

async fn handle(call: Call<'_>) -> Answer {
    let (scope, id) = call.record().await?;
    let detail = call.app().webhook_job(&scope, WebhookJobId(id)).await?;
    Ok(reply(&detail)?)
}

fn reply(detail: &JobDetail) -> Result<Reply, Failure> {
    let payload = detail.payload.as_deref().map(serde_json::from_slice);
    let payload: Option<&RawValue> = payload.transpose().map_err(|_| Failure::crash())?;
    Reply::of(&Shown {
        job: &detail.job,
        attempts: &detail.attempts,
        payload,
    })
}
