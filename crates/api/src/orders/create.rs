//! `orders/create`.

use app::Access;
use contract::{IDEMPOTENCY_KEY, Param, Route, TOKEN};
use domain::id::IntegrationId;
use store::{List, NewOrder, Reference, Target};

use super::shape::CREATED;
use super::{EXTERNAL_ORDER_ID, Shown};
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::order_stages::stage::refuse_operational;
use crate::params::{self, INTEGRATION_ID};
use crate::{created, order_fields};

/// The status of an order that is made without one.
const STATUS_DEFAULT: &str = "new_request";

pub(crate) const ROUTE: Route = Route::post("orders", "create")
    .about(
        "Orders Create API",
        "Makes an order. That is its first stage: subscriptions that want its status or event are told.",
    )
    .params(&params::joined::<6, 12, 18>(
        [
            TOKEN,
            INTEGRATION_ID,
            EXTERNAL_ORDER_ID.at(200),
            Param::new("status", params::SLUG).at(300).about(
                "Its status, a slug of the list `order_status`; `new_request` when absent.",
            ),
            Param::new("event_slug", params::SLUG)
                .at(400)
                .about("The event of the first stage, a slug of the list `order_event`."),
            IDEMPOTENCY_KEY.at(1700),
        ],
        order_fields::PARAMS,
    ))
    .data(&CREATED)
    .example(
        r#"{"token": "pra_…", "integration_id": 1, "external_order_id": "A-1001", "status": "ordered",
 "address": {"street": "12 Elm St", "city": "Denver", "state": "CO", "postal_code": "80202"},
 "services": [{"group_slug": "photos", "quantity": 1}], "metadata": {"source": "crm"}}"#,
    );

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Managers,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let scope = call.scope().await?;
    let new = NewOrder {
        integration_id: IntegrationId(input.integer("integration_id").unwrap_or_default()),
        external_order_id: input.string("external_order_id"),
        status: input
            .string("status")
            .unwrap_or_else(|| STATUS_DEFAULT.to_owned()),
        event_slug: input.string("event_slug"),
        fields: order_fields::changes(input),
        idempotency: call.idempotency(),
    };
    refuse_operational(input);
    let integration_id = scope.map(|scope| scope.integration_id());
    call.refuse_faults(|| references(&new, integration_id))
        .await?;
    let scope = input.finish(|| scope)?;
    let made = call.app().create_order(&scope, new).await?;
    Ok(created::marked(&Shown(&made.record), made.replayed)?)
}

fn references(new: &NewOrder, integration_id: Option<IntegrationId>) -> Vec<Reference> {
    let word = |attr: &str, list: List, slug: &str| {
        let slug = slug.to_owned();
        Reference::new(attr, Target::ListItem { list, slug })
    };
    let mut references = vec![word("status", List::OrderStatus, &new.status)];
    references.extend(
        new.event_slug
            .iter()
            .map(|slug| word("event_slug", List::OrderEvent, slug)),
    );
    if let (Some(integration_id), Some(id)) = (integration_id, &new.external_order_id) {
        let external_order_id = id.clone();
        let target = Target::FreeExternalOrderId {
            integration_id,
            external_order_id,
        };
        references.push(Reference::new("external_order_id", target));
    }
    references
}
