//! `payload_render_views/create`.

use app::Access;
use contract::{IDEMPOTENCY_KEY, Route, TOKEN};
use domain::payload::template::TemplateText;
use domain::payload_render_view::ViewKey;
use store::{NewPayloadRenderView, Reference, Target};

use super::fields;
use super::shape::CREATED;
use crate::apart::apart;
use crate::call::Call;
use crate::created;
use crate::endpoint::{Answer, Endpoint};

pub(crate) const ROUTE: Route = Route::post("payload_render_views", "create")
    .about(
        "Payload Render Views Create API",
        "Makes a payload view of one's own, which subscriptions then name by its key. An integration's own view \
         comes before one of the same key for all integrations.",
    )
    .params(&[
        TOKEN,
        fields::INTEGRATION_ID,
        fields::KEY.at(200).required(),
        fields::NAME.at(300).required(),
        fields::TEMPLATE.at(400).required(),
        fields::DESCRIPTION.at(500),
        IDEMPOTENCY_KEY.at(600),
    ])
    .data(&CREATED)
    .example(
        r#"{"token": "pra_…", "integration_id": 1, "key": "crm", "name": "For the CRM",
 "template": "{\"id\": {{ order.external_order_id }}, \"state\": {{ stage }}}"}"#,
    );

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Managers,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let scope = call.scope().await?;
    let integration_id = scope.map(|scope| scope.integration_id());
    let key = input.string_as("key", str::parse::<ViewKey>);
    let name = input.string("name");
    let template = input.string_as("template", |text| apart(|| text.parse::<TemplateText>()));
    let description = input.string("description");
    let idempotency = call.idempotency();
    let free = || {
        let key = key.clone();
        let target = key.map(|key| Target::FreeViewKey {
            integration_id,
            key,
            except: None,
        });
        target
            .map(|target| Reference::new("key", target))
            .into_iter()
            .collect()
    };
    call.refuse_faults(free).await?;
    let new = input.finish(|| {
        Some(NewPayloadRenderView {
            integration_id,
            key: key?,
            name: name?,
            description,
            template: template?,
            idempotency,
        })
    })?;
    let made = call
        .app()
        .create_payload_render_view(call.caller, scope.as_ref(), new)
        .await?;
    Ok(created::reply(&made)?)
}
