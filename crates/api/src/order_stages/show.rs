//! `order_stages/show`.

use app::Access;
use contract::{Param, Reply, Route, TOKEN};
use domain::id::OrderStageId;
use domain::match_trace::Traced;
use domain::order::OrderStage;
use serde::Serialize;

use super::shape::ORDER_STAGE_SHOWN;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::params::INTEGRATION_ID;

pub(crate) const ROUTE: Route = Route::post("order_stages", "show")
    .about(
        "Order Stages Show API",
        "Shows an accepted change, and why it made a job for each subscription of the integration, or none.",
    )
    .params(&[
        TOKEN,
        INTEGRATION_ID,
        Param::integer("id")
            .at(200)
            .required()
            .about("The id of the change."),
    ])
    .data(&ORDER_STAGE_SHOWN)
    .example(r#"{"token": "pra_…", "integration_id": 1, "id": 1}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Readers,
    handle: |call| Box::pin(handle(call)),
};

/// A change with its trace.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    stage: &'a OrderStage,
    match_trace: Option<&'a [Traced]>,
}

async fn handle(call: Call<'_>) -> Answer {
    let (scope, id) = call.record().await?;
    let shown = call.app().order_stage(&scope, OrderStageId(id)).await?;
    Ok(Reply::of(&Shown {
        stage: &shown.stage,
        match_trace: shown.match_trace.as_deref(),
    })?)
}
