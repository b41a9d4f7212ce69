//! `webhook_out_subs/rotate_secret`.

use app::Access;
use std::time::Duration;

use contract::{Param, Reply, Route, TOKEN};
use domain::id::WebhookOutSubId;
use domain::signature::SigningSecret;

use super::shape::WITH_SECRET;
use super::{ID, fields};
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::params::INTEGRATION_ID;

/// For how long the old secret signs as well when nothing is said, in seconds: a day.
const OVERLAP_SECONDS_DEFAULT: u32 = 24 * 60 * 60;
/// For how long at most, in seconds: a week, in which every receiver can be changed.
const OVERLAP_SECONDS_MAX: i64 = 7 * 24 * 60 * 60;

pub(crate) const ROUTE: Route = Route::post("webhook_out_subs", "rotate_secret")
    .about(
        "Webhook Outgoing Subscribers Rotate secret API",
        "Replaces the signing secret, and the signing key where there is one, and shows the new secret. The old ones \
         sign as well until the overlap is over.",
    )
    .params(&[
        TOKEN,
        INTEGRATION_ID,
        ID,
        Param::integer("overlap_seconds")
            .at(300)
            .range(0, OVERLAP_SECONDS_MAX)
            .about("For how long the old secret signs as well; 86,400 (a day) when absent."),
        fields::SIGNING_SECRET.at(400),
    ])
    .data(&WITH_SECRET)
    .example(r#"{"token": "pra_…", "integration_id": 1, "id": 1, "overlap_seconds": 3600}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Menders,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let own = input.string_as("signing_secret", str::parse::<SigningSecret>);
    let overlap = fields::small(input, "overlap_seconds").unwrap_or(OVERLAP_SECONDS_DEFAULT);
    let (scope, id) = call.record().await?;
    let secret = match own {
        Some(own) => own,
        None => call.app().new_signing_secret()?,
    };
    let overlap = Duration::from_secs(overlap.into());
    let rotated =
        call.app()
            .rotate_webhook_out_sub_secret(&scope, WebhookOutSubId(id), secret, overlap);
    Ok(Reply::of(&rotated.await?)?)
}
