//! `payload_render_views/update`.

use app::Access;
use contract::{Given, Input, Reply, Route, TOKEN};
use domain::id::PayloadRenderViewId;
use domain::payload::template::TemplateText;
use domain::payload_render_view::ViewKey;
use store::PayloadRenderViewChanges;

use super::fields;
use super::shape::VIEW;
use crate::apart::apart;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::params::kept;

pub(crate) const ROUTE: Route = Route::put("payload_render_views", "update")
    .about(
        "Payload Render Views Update API",
        "Changes a payload view: what is absent stays. A template that differs makes a new revision, which \
         subscriptions follow unless they pin one. The key stays while subscriptions name it.",
    )
    .params(&[
        TOKEN,
        fields::INTEGRATION_ID,
        fields::ID.required(),
        fields::KEY.at(300),
        fields::NAME.at(400),
        fields::TEMPLATE.at(500),
        fields::DESCRIPTION.at(600),
    ])
    .data(&VIEW)
    .example(
        r#"{"token": "pra_…", "integration_id": 1, "id": 1,
 "template": "{\"id\": {{ order.external_order_id }}, \"event\": {{ event }}}"}"#,
    );

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Managers,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let scope = call.scope().await?;
    let id = input.integer("id").map(PayloadRenderViewId);
    let changes = PayloadRenderViewChanges {
        key: kept(input, "key", |input, name| {
            input.string_as(name, str::parse::<ViewKey>)
        }),
        name: kept(input, "name", |input, name| input.string(name)),
        template: kept(input, "template", |input, name| {
            input.string_as(name, |text| apart(|| text.parse::<TemplateText>()))
        }),
        description: match input.given("description", Input::string) {
            Given::Value(description) => Some(Some(description)),
            Given::Null => Some(None),
            Given::Absent => None,
        },
    };
    let id = input.finish(|| id)?;
    let view = call
        .app()
        .update_payload_render_view(call.caller, scope.as_ref(), id, changes)
        .await?;
    Ok(Reply::of(&view)?)
}
