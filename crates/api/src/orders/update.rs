//! `orders/update`.

use app::Access;
use contract::{Given, Input, Param, Reply, Route, TOKEN};
use domain::id::{IntegrationId, OrderId};
use store::{OrderRef, OrderUpdate, Reference, Target};

use super::shape::ORDER;
use super::{EXTERNAL_ORDER_ID, ID, Shown};
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::order_fields;
use crate::params::{self, INTEGRATION_ID};

/// What only a stage can change.
const BY_STAGE: [&str; 2] = ["status", "event_slug"];

pub(crate) const ROUTE: Route = Route::put("orders", "update")
    .about(
        "Orders Update API",
        "Changes what is known of an order, without telling anybody. What is absent stays, null clears; \
         a field that is given is replaced as a whole.",
    )
    .params(&params::joined::<6, 12, 18>(
        [
            TOKEN,
            INTEGRATION_ID,
            ID,
            EXTERNAL_ORDER_ID.at(300),
            Param::string("status")
                .at(400)
                .about("Refused here: report it with order_stages/create, which tells the subscriptions."),
            Param::string("event_slug")
                .at(400)
                .about("Refused here: report it with order_stages/create, which tells the subscriptions."),
        ],
        order_fields::PARAMS,
    ))
    .data(&ORDER)
    .example(
        r#"{"token": "pra_…", "integration_id": 1, "id": 1, "order_notes": "Ring twice.", "links": null}"#,
    );

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Managers,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let scope = call.scope().await?;
    refuse_stages(input);
    let id = input.integer("id").map(OrderId);
    let external_order_id = match input.given("external_order_id", Input::string) {
        Given::Absent => None,
        Given::Null => Some(None),
        Given::Value(id) => Some(Some(id)),
    };
    let changes = order_fields::changes(input);
    let integration_id = scope.map(|scope| scope.integration_id());
    call.refuse_faults(|| references(integration_id, id))
        .await?;
    let (scope, update) = input.finish(|| {
        let scope = scope?;
        let update = OrderUpdate {
            integration_id: scope.integration_id(),
            id: id?,
            external_order_id,
            changes,
        };
        Some((scope, update))
    })?;
    let order = call.app().update_order(&scope, update).await?;
    Ok(Reply::of(&Shown(&order))?)
}

fn refuse_stages(input: &Input<'_>) {
    for name in BY_STAGE {
        if input.given(name, Input::string) != Given::Absent {
            input.fault(
                name,
                "changes only by a stage; report it with order_stages/create",
            );
        }
    }
}

/// That another order has the external id already can only be told when the order itself is known: the
/// store does so.
fn references(integration_id: Option<IntegrationId>, id: Option<OrderId>) -> Vec<Reference> {
    let order = integration_id
        .zip(id)
        .map(|(integration_id, id)| Target::Order {
            integration_id,
            order: OrderRef::Id(id),
        });
    order
        .into_iter()
        .map(|target| Reference::new("id", target))
        .collect()
}
