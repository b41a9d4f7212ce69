//! `payload_render_views/preview`.

use app::{Access, Scope};
use contract::{Failure, Reply, Route, TOKEN};
use domain::id::{IntegrationId, OrderId, OrderStageId, PayloadRenderViewId};
use domain::payload::template::Template;
use domain::payload::{StageFacts, sample};
use serde::Serialize;
use serde_json::value::RawValue;

use super::fields;
use super::shape::PREVIEW;
use crate::apart::apart;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::params::SLUG;
use crate::trouble::Trouble;

pub(crate) const ROUTE: Route = Route::post("payload_render_views", "preview")
    .about(
        "Payload Render Views Preview API",
        "Renders a template that need not be saved, or a saved view, for an order as it is now and one of its \
         stages, or for a sample order. Nothing is sent or stored.",
    )
    .params(&[
        TOKEN,
        fields::INTEGRATION_ID,
        fields::ID,
        fields::REVISION.at(300),
        fields::TEMPLATE.at(400),
        contract::Param::integer("order_id")
            .at(500)
            .about("The id of an order of the integration; a sample order when absent."),
        contract::Param::integer("order_stage_id")
            .at(600)
            .about("The id of a stage of the order; its last one when absent."),
        contract::Param::new("stage", SLUG)
            .at(700)
            .about("The order status that the sample order is reported with."),
        contract::Param::new("event_slug", SLUG)
            .at(800)
            .about("The event that the sample order is reported with; null for none."),
    ])
    .data(&PREVIEW)
    .example(
        r#"{"token": "pra_…", "integration_id": 1, "order_id": 1,
 "template": "{\"id\": {{ order.external_order_id }}}"}"#,
    );

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Readers,
    handle: |call| Box::pin(handle(call)),
};

/// What would be sent.
#[derive(Serialize)]
struct Preview<'a> {
    payload: &'a RawValue,
    bytes: usize,
}

async fn handle(call: Call<'_>) -> Answer {
    let scope = call.scope().await?;
    note_contradictions(&call);
    call.input.finish(|| Some(()))?;
    let template = template(&call, scope.as_ref()).await?;
    let payload = match scope.zip(call.input.integer("order_id")) {
        Some((scope, order_id)) => of_order(&call, &scope, OrderId(order_id), &template).await?,
        None => of_sample(&call, scope.as_ref(), &template),
    };
    let bytes = call.input.finish(|| payload)?;
    let payload = serde_json::from_slice(&bytes).map_err(|_| Failure::crash())?;
    Ok(Reply::of(&Preview {
        payload,
        bytes: bytes.len(),
    })?)
}

/// Which view, and of which order, must be clear.
fn note_contradictions(call: &Call<'_>) {
    let input = call.input;
    let is_given = |name| input.is_given(name);
    match (is_given("template"), is_given("id")) {
        (true, true) => input.fault(
            "id",
            "cannot stand beside template: one of them is previewed",
        ),
        (false, false) => input.fault("template", "is needed, or the id of a view"),
        _ => {}
    }
    if is_given("revision") && !is_given("id") {
        input.fault("revision", "is that of a view; give its id");
    }
    if is_given("order_stage_id") && !is_given("order_id") {
        input.fault("order_stage_id", "is that of an order; give its order_id");
    }
    if is_given("order_id") && !is_given("integration_id") {
        input.fault(
            "order_id",
            "is that of an integration; give its integration_id",
        );
    }
    for name in ["stage", "event_slug"] {
        if is_given(name) && is_given("order_id") {
            input.fault(name, "is for the sample order only; leave out order_id");
        }
    }
}

async fn template(call: &Call<'_>, scope: Option<&Scope<'_>>) -> Result<Template, Trouble> {
    let input = call.input;
    let compiled = match input.integer("id") {
        Some(id) => {
            let revision = input
                .integer("revision")
                .and_then(|number| u32::try_from(number).ok());
            let id = PayloadRenderViewId(id);
            let shown = call
                .app()
                .payload_render_view(call.caller, scope, id, revision)
                .await?;
            apart(|| Template::compile(&shown.template))
                .map_err(|fault| input.fault("template", fault))
                .ok()
        }
        None => input.string_as("template", |text| apart(|| Template::compile(text))),
    };
    Ok(input.finish(|| compiled)?)
}

async fn of_order(
    call: &Call<'_>,
    scope: &Scope<'_>,
    order_id: OrderId,
    template: &Template,
) -> Result<Option<Vec<u8>>, Trouble> {
    let stage_id = call.input.integer("order_stage_id").map(OrderStageId);
    let (order, stage) = call
        .app()
        .order_with_stage(scope, order_id, stage_id)
        .await?;
    let facts = StageFacts::of(&order, &stage);
    Ok(rendered(call, template, &facts))
}

fn of_sample(call: &Call<'_>, scope: Option<&Scope<'_>>, template: &Template) -> Option<Vec<u8>> {
    let integration_id = scope.map_or(IntegrationId(0), Scope::integration_id);
    let sample = sample(integration_id, call.app().now());
    let mut facts = sample.facts();
    let stage = call.input.string("stage");
    if let Some(stage) = &stage {
        facts.stage = stage;
        facts.order_status = stage;
    }
    let event = call.input.given("event_slug", contract::Input::string);
    match &event {
        contract::Given::Value(event) => facts.event_slug = Some(event),
        contract::Given::Null => facts.event_slug = None,
        contract::Given::Absent => {}
    }
    rendered(call, template, &facts)
}

fn rendered(call: &Call<'_>, template: &Template, facts: &StageFacts<'_>) -> Option<Vec<u8>> {
    let rendered = apart(|| template.render(facts));
    rendered
        .map_err(|fault| call.input.fault("template", fault))
        .ok()
}
