//! `applications/rotate_token`.

use std::time::Duration;

use app::Access;
use contract::{Param, Reply, Route, TOKEN};
use domain::id::ApplicationId;

use super::ID;
use super::shape::ROTATED;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};

/// For how long the old token may be accepted as well, in seconds: a week, in which every program can be
/// changed.
const OVERLAP_SECONDS_MAX: i64 = 7 * 24 * 60 * 60;

pub(crate) const ROUTE: Route = Route::post("applications", "rotate_token")
    .about(
        "Applications Rotate token API",
        "Replaces an application's token, and shows the new one, in this answer only. The old one is accepted as \
         well until the overlap is over.",
    )
    .params(&[
        TOKEN,
        ID,
        Param::integer("overlap_seconds")
            .at(300)
            .range(0, OVERLAP_SECONDS_MAX)
            .about("For how long the old token is accepted as well; not at all when absent."),
    ])
    .data(&ROTATED)
    .example(r#"{"token": "pra_…", "id": 2, "overlap_seconds": 3600}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Operators,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let id = input.integer("id").map(ApplicationId);
    let overlap = input.integer("overlap_seconds").unwrap_or(0);
    let overlap = Duration::from_secs(overlap.unsigned_abs());
    let id = input.finish(|| id)?;
    let rotated = call
        .app()
        .rotate_application_token(call.caller, id, overlap);
    Ok(Reply::of(&rotated.await?)?)
}
