//! `webhook_out_subs/enable`.

use app::Access;
use contract::{Field, Param, Record, Reply, Route, Shape, TOKEN};
use domain::id::WebhookOutSubId;
use domain::recovery::Recovery;
use domain::time::Moment;
use domain::webhook_out_sub::WebhookOutSub;
use serde::Serialize;

use super::ID;
use super::shape::FIELDS;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::params::INTEGRATION_ID;
use crate::recovery::{self, PER_SECOND};

const ENABLED: Shape = Shape::Record(&Record {
    name: "webhook_out_sub_enabled",
    parts: &[
        FIELDS,
        &[Field::new(
            "recovery",
            Shape::Record(&recovery::RECORD),
            "What makes the jobs that it missed; null without `since`. webhook_jobs/retry_many follows it by its id.",
        )
        .nullable()],
    ],
});

pub(crate) const ROUTE: Route = Route::post("webhook_out_subs", "enable")
    .about(
        "Webhook Outgoing Subscribers Enable API",
        "Switches a subscription on, whoever switched it off: its waiting jobs go out. With `since`, the jobs that it missed \
         since then are made as well, each change's once, in order, before those of new changes.",
    )
    .params(&[
        TOKEN,
        INTEGRATION_ID,
        ID,
        Param::time("since")
            .at(300)
            .about("Make the jobs of the changes that were accepted since this moment, where there is none."),
        PER_SECOND.at(400),
    ])
    .data(&ENABLED)
    .example(r#"{"token": "pra_…", "integration_id": 1, "id": 1, "since": "2026-01-31T00:00:00Z"}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Menders,
    handle: |call| Box::pin(handle(call)),
};

/// A subscription with what lets it catch up.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    sub: &'a WebhookOutSub,
    recovery: Option<&'a Recovery>,
}

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let since = input.time("since").map(Moment::from_microseconds);
    if since.is_some_and(|since| since > call.app().now()) {
        input.fault("since", "must not be in the future");
    }
    let per_second = recovery::per_second(input);
    let (scope, id) = call.record().await?;
    let id = WebhookOutSubId(id);
    let enabled = call
        .app()
        .enable_webhook_out_sub(&scope, id, since, per_second)
        .await?;
    Ok(Reply::of(&Shown {
        sub: &enabled.sub,
        recovery: enabled.recovery.as_ref(),
    })?)
}
