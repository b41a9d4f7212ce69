//! `webhook_jobs/replay`.

use app::Access;
use contract::{IDEMPOTENCY_KEY, Param, Route, TOKEN};
use domain::id::WebhookOutSubId;
use domain::time::Moment;
use store::RecoveryWork;

use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::params::INTEGRATION_ID;
use crate::recovery::{self, CANCEL, ID, PER_SECOND, PREVIEW, RECOVERY};

pub(crate) const ROUTE: Route = Route::post("webhook_jobs", "replay")
    .about(
        "Webhook Jobs Replay API",
        "Makes a new job, outside of the ordering, for each change that was accepted in a time and that the subscription wants \
         now, whether or not it had one. Payloads are rendered anew, of the orders as they are. Goes on by itself, also after \
         a restart; called with its `id`, this route tells how far it has come, or stops it.",
    )
    .params(&[
        TOKEN,
        INTEGRATION_ID,
        Param::integer("webhook_out_sub_id")
            .at(200)
            .about("The subscription. Required, but beside `id`."),
        Param::time("accepted_from")
            .at(300)
            .about("Only changes that were accepted at or after this. Required, but beside `id`."),
        Param::time("accepted_until")
            .at(310)
            .about("Only changes that were accepted before this; all up to now when absent."),
        PER_SECOND.at(400),
        PREVIEW.at(500),
        ID.at(600),
        CANCEL.at(700),
        IDEMPOTENCY_KEY.at(800),
    ])
    .data(&RECOVERY)
    .example(
        r#"{"token": "pra_…", "integration_id": 1, "webhook_out_sub_id": 1,
 "accepted_from": "2026-01-31T00:00:00Z", "accepted_until": "2026-02-01T00:00:00Z"}"#,
    );

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Menders,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let scope = call.scope().await?;
    let others = [
        "webhook_out_sub_id",
        "accepted_from",
        "accepted_until",
        "per_second",
        "preview",
    ];
    recovery::note_contradictions(input, &others);
    if !input.is_given("id") {
        for name in &others[..2] {
            if !input.is_given(name) {
                input.missing(name);
            }
        }
    }
    let time = |name| input.time(name).map(Moment::from_microseconds);
    let (from, until) = (time("accepted_from"), time("accepted_until"));
    if until.is_some_and(|until| Some(until) <= from) {
        input.fault("accepted_until", "must be later than accepted_from");
    }
    let sub = input.integer("webhook_out_sub_id").map(WebhookOutSubId);
    let scope = input.finish(|| scope)?;
    let work = sub.map(|webhook_out_sub_id| RecoveryWork::Replay {
        webhook_out_sub_id,
        from,
        until,
    });
    recovery::answer(&call, &scope, work).await
}
