//! `webhook_jobs/retry_many`.

use app::Access;
use contract::{IDEMPOTENCY_KEY, Route, TOKEN};
use domain::webhook_job::JobState;
use store::RecoveryWork;

use super::RERENDER;
use super::filters::{self, FILTERS};
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::params::{self, INTEGRATION_ID};
use crate::recovery::{self, CANCEL, ID, PER_SECOND, PREVIEW, RECOVERY};

pub(crate) const ROUTE: Route = Route::post("webhook_jobs", "retry_many")
    .about(
        "Webhook Jobs Retry many API",
        "Retries all jobs that the filters find (the exhausted ones, where they name no state), at a pace: those that wait \
         become due, final ones are repeated outside of the ordering. Goes on by itself, also after a restart; called with its \
         `id`, this route tells how far it has come, or stops it.",
    )
    .params(&[
        TOKEN,
        INTEGRATION_ID,
        params::filters(FILTERS),
        RERENDER.at(350),
        PER_SECOND.at(400),
        PREVIEW.at(500),
        ID.at(600),
        CANCEL.at(700),
        IDEMPOTENCY_KEY.at(800),
    ])
    .data(&RECOVERY)
    .example(
        r#"{"token": "pra_…", "integration_id": 1, "preview": true,
 "filters": {"state": ["exhausted"], "subscribers": ["crm"], "date_range_start": "2026-01-31T00:00:00Z"}}"#,
    );

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Menders,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let scope = call.scope().await?;
    recovery::note_contradictions(input, &["filters", "rerender", "per_second", "preview"]);
    let mut filter = filters::filter(input);
    if filter.states.contains(&JobState::Delivering) {
        input.fault(
            "filters.state",
            "cannot be delivering: those jobs are on their way",
        );
    }
    if filter.states.is_empty() {
        filter.states = vec![JobState::Exhausted];
    }
    let rerender = input.boolean("rerender").unwrap_or(false);
    let scope = input.finish(|| scope)?;
    let work = RecoveryWork::Retry { filter, rerender };
    recovery::answer(&call, &scope, Some(work)).await
}
