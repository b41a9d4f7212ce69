//! One change, as `create` and `create_many` take it.

use contract::{Failure, Input, Param};
use domain::id::{IntegrationId, OrderId};
use domain::order::OrderChanges;
use domain::time::Moment;
use domain::vocabulary::is_operational;
use store::{Idempotency, List, NewOrderStage, OrderRef, Reference, Target};

use super::create::ROUTE;
use crate::call::idempotency;
use crate::order_fields;
use crate::params::{self, FOREIGN_ID_CHARS_MAX};

const ORDER_PARAMS: &[Param] = &order_fields::PARAMS;

pub(crate) const ORDER_ID: Param = Param::integer("order_id")
    .at(200)
    .about("The order, by its id here. Either this or `external_order_id` is required.");
pub(crate) const EXTERNAL_ORDER_ID: Param = Param::string("external_order_id")
    .at(300)
    .chars(1, FOREIGN_ID_CHARS_MAX)
    .about("The order, by its id at the order system. Either this or `order_id` is required.");
pub(crate) const CREATE_ORDER: Param = Param::boolean("create_order").at(400).about(
    "Whether an `external_order_id` that is not known makes the order, with this as its first stage; \
     `false` when absent.",
);
pub(crate) const STAGE: Param = Param::new("stage", params::SLUG)
    .at(500)
    .required()
    .about("The order status that is reported, a slug of the list `order_status`.");
pub(crate) const EVENT_SLUG: Param = Param::new("event_slug", params::SLUG)
    .at(600)
    .about("The event that is reported, a slug of the list `order_event`.");
pub(crate) const UPDATE_STATUS: Param = Param::boolean("update_status").at(700).about(
    "Whether the order takes the status; if not, subscriptions are found by the event only. `true` when \
     absent.",
);
pub(crate) const STAGE_AT: Param = Param::time("stage_at")
    .at(800)
    .about("When it happened; now when absent. It informs, and orders nothing.");
pub(crate) const ORDER: Param = Param::hash("order", ORDER_PARAMS).at(900).about(
    "What else changes on the order before payloads are rendered: a field that is given replaces the one \
     before, `null` clears it.",
);

/// A change that was read; what is at fault is noted in the input.
pub(super) struct Reported {
    order: Option<OrderRef>,
    create_order: bool,
    stage: Option<String>,
    event_slug: Option<String>,
    update_status: bool,
    stage_at: Option<Moment>,
    changes: OrderChanges,
}

impl Reported {
    pub(super) fn read(input: &Input<'_>) -> Reported {
        let create_order = input.boolean("create_order").unwrap_or(false);
        refuse_operational(input);
        Reported {
            order: order(input, create_order),
            create_order,
            stage: input.string("stage"),
            event_slug: input.string("event_slug"),
            update_status: input.boolean("update_status").unwrap_or(true),
            stage_at: input.time("stage_at").map(Moment::from_microseconds),
            changes: input
                .hash("order")
                .map(order_fields::changes)
                .unwrap_or_default(),
        }
    }

    /// What it refers to, for a change that is refused anyway.
    pub(super) fn references(&self, integration_id: Option<IntegrationId>) -> Vec<Reference> {
        let mut references = Vec::new();
        let order = self.order.clone().filter(|order| match order {
            OrderRef::Id(_) => true,
            OrderRef::External(_) => !self.create_order,
        });
        if let Some((integration_id, order)) = integration_id.zip(order) {
            let attr = match order {
                OrderRef::Id(_) => "order_id",
                OrderRef::External(_) => "external_order_id",
            };
            let target = Target::Order {
                integration_id,
                order,
            };
            references.push(Reference::new(attr, target));
        }
        let words = [
            ("stage", List::OrderStatus, &self.stage),
            ("event_slug", List::OrderEvent, &self.event_slug),
        ];
        for (attr, list, slug) in words {
            references.extend(
                slug.clone()
                    .map(|slug| Reference::new(attr, Target::ListItem { list, slug })),
            );
        }
        references
    }

    /// The change, of an input without faults.
    pub(super) fn into_new(
        self,
        integration_id: IntegrationId,
        idempotency: Option<Idempotency>,
        at: Moment,
    ) -> Option<NewOrderStage> {
        Some(NewOrderStage {
            integration_id,
            order: self.order?,
            create_order: self.create_order,
            stage: self.stage?,
            event_slug: self.event_slug,
            update_status: self.update_status,
            stage_at: self.stage_at,
            changes: self.changes,
            idempotency,
            at,
        })
    }
}

/// The change that an input of `order_stages/create` reports, without a look at the store: for measuring.
///
/// # Errors
/// What the parameters themselves show to be wrong.
pub fn read_order_stage(input: &Input<'_>, at: Moment) -> Result<NewOrderStage, Failure> {
    let reported = Reported::read(input);
    let integration_id = input.integer(params::INTEGRATION_ID.name);
    input.finish(|| {
        let key = idempotency(input, &ROUTE);
        reported.into_new(IntegrationId(integration_id?), key, at)
    })
}

/// Nobody reports what Postrider alone tells.
pub(crate) fn refuse_operational(input: &Input<'_>) {
    if input
        .string("event_slug")
        .is_some_and(|slug| is_operational(&slug))
    {
        input.fault(
            "event_slug",
            "is told by Postrider itself, and cannot be reported",
        );
    }
}

/// Which order: exactly one of the two names it.
fn order(input: &Input<'_>, create_order: bool) -> Option<OrderRef> {
    let id = input.integer("order_id").map(OrderId);
    let external = input.string("external_order_id");
    match (id, external) {
        (Some(_), Some(_)) => {
            input.fault(
                "order_id",
                "cannot stand beside external_order_id; leave one of them out",
            );
            None
        }
        (Some(id), None) => {
            if create_order {
                input.fault(
                    "create_order",
                    "needs external_order_id, since ids are given here; leave order_id out",
                );
            }
            Some(OrderRef::Id(id))
        }
        (None, Some(external)) => Some(OrderRef::External(external)),
        (None, None) => {
            // One that was refused has its own fault already.
            if !input.is_given("order_id") && !input.is_given("external_order_id") {
                input.missing("external_order_id");
            }
            None
        }
    }
}
