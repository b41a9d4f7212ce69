//! `orders/show`.

use app::Access;
use contract::{Reply, Route, TOKEN};
use domain::id::OrderId;

use super::shape::ORDER;
use super::{ID, Shown};
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::params::INTEGRATION_ID;

pub(crate) const ROUTE: Route = Route::post("orders", "show")
    .about(
        "Orders Show API",
        "Shows an order with all that is known of it.",
    )
    .params(&[TOKEN, INTEGRATION_ID, ID])
    .data(&ORDER)
    .example(r#"{"token": "pra_…", "integration_id": 1, "id": 1}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Readers,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let (scope, id) = call.record().await?;
    let order = call.app().order(&scope, OrderId(id)).await?;
    Ok(Reply::of(&Shown(&order))?)
}
