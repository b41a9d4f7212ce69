//! `order_stages/create`: the route that everything here exists for.

use app::Access;
use contract::{IDEMPOTENCY_KEY, Route, TOKEN};

use super::shape::ACCEPTED;
use super::stage::{
    CREATE_ORDER, EVENT_SLUG, EXTERNAL_ORDER_ID, ORDER, ORDER_ID, Reported, STAGE, STAGE_AT,
    UPDATE_STATUS,
};
use crate::call::Call;
use crate::created;
use crate::endpoint::{Answer, Endpoint};
use crate::params::INTEGRATION_ID;

pub(crate) const ROUTE: Route = Route::post("order_stages", "create")
    .about(
        "Order Stages Create API",
        "Reports a change of an order. When it is answered, the change and a job for each subscription that \
         wants it are stored durably.",
    )
    .params(&[
        TOKEN,
        INTEGRATION_ID,
        ORDER_ID,
        EXTERNAL_ORDER_ID,
        CREATE_ORDER,
        STAGE,
        EVENT_SLUG,
        UPDATE_STATUS,
        STAGE_AT,
        ORDER,
        IDEMPOTENCY_KEY.at(1000),
    ])
    .data(&ACCEPTED)
    .example(
        r#"{"token": "pra_…", "integration_id": 1, "external_order_id": "A-1001", "create_order": true,
 "stage": "scheduled", "event_slug": "appointment.scheduled",
 "order": {"address": {"street": "12 Elm St", "city": "Denver"}}}"#,
    );

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Managers,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let scope = call.scope().await?;
    let reported = Reported::read(input);
    let integration_id = scope.map(|scope| scope.integration_id());
    call.refuse_faults(|| reported.references(integration_id))
        .await?;
    let (scope, stage) = input.finish(|| {
        let scope = scope?;
        let at = call.app().now();
        let stage = reported.into_new(scope.integration_id(), call.idempotency(), at)?;
        Some((scope, stage))
    })?;
    let accepted = call.app().accept(&scope, stage).await?;
    Ok(created::reply(&accepted)?)
}
