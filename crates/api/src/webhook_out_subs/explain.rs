//! `webhook_out_subs/explain`.

use app::{Access, Scope};
use contract::{Param, Reply, Route, TOKEN};
use domain::id::{OrderId, WebhookOutSubId};
use domain::payload::sample;
use store::{Explanation, List, OrderRef, Reference, Target};

use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::match_trace::MATCH_TRACE;
use crate::order_stages::stage::{EVENT_SLUG, STAGE, UPDATE_STATUS};
use crate::params::INTEGRATION_ID;

pub(crate) const ROUTE: Route = Route::post("webhook_out_subs", "explain")
    .about(
        "Webhook Outgoing Subscribers Explain API",
        "Tells what a change would meet in the subscriptions of the integration as they are now, and why. Nothing is \
         changed, made or sent.",
    )
    .params(&[
        TOKEN,
        INTEGRATION_ID,
        Param::integer("id")
            .at(200)
            .about("Only this subscription; all when absent."),
        Param::integer("order_id")
            .at(300)
            .about("The order that filters look at, as it is now; a sample order when absent."),
        STAGE,
        EVENT_SLUG,
        UPDATE_STATUS,
    ])
    .data(&MATCH_TRACE)
    .example(
        r#"{"token": "pra_…", "integration_id": 1, "stage": "scheduled", "event_slug": "appointment.scheduled"}"#,
    );

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Readers,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let scope = call.scope().await?;
    call.refuse_faults(|| references(&call, scope)).await?;
    let (scope, stage) = input.finish(|| Some((scope?, input.string("stage")?)))?;
    let references = references(&call, Some(scope));
    let order = input.integer("order_id").map(OrderId);
    let at = call.app().now();
    let explanation = Explanation {
        sub: input.integer("id").map(WebhookOutSubId),
        order: None,
        stage,
        event_slug: input.string("event_slug"),
        update_status: input.boolean("update_status").unwrap_or(true),
        sample: sample(scope.integration_id(), at),
        at,
    };
    let explained = call
        .app()
        .explain(&scope, explanation, order, references)
        .await?;
    Ok(Reply::of(&explained)?)
}

fn references(call: &Call<'_>, scope: Option<Scope<'_>>) -> Vec<Reference> {
    let input = call.input;
    let integration_id = scope.map(|scope| scope.integration_id());
    let mut references = Vec::new();
    if let Some((integration_id, id)) = integration_id.zip(input.integer("id")) {
        let id = WebhookOutSubId(id);
        let target = Target::Subscription { integration_id, id };
        references.push(Reference::new("id", target));
    }
    if let Some((integration_id, id)) = integration_id.zip(input.integer("order_id")) {
        let order = OrderRef::Id(OrderId(id));
        let target = Target::Order {
            integration_id,
            order,
        };
        references.push(Reference::new("order_id", target));
    }
    for (attr, list) in [
        ("stage", List::OrderStatus),
        ("event_slug", List::OrderEvent),
    ] {
        let slug = input.string(attr);
        let target = slug.map(|slug| Target::ListItem { list, slug });
        references.extend(target.map(|target| Reference::new(attr, target)));
    }
    references
}
