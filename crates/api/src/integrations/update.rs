//! `integrations/update`.

use app::Access;
use contract::{Given, Reply, Route, TOKEN};
use domain::id::IntegrationId;
use store::{IntegrationChanges, Reference, Target};

use super::fields::{self, ID, KEY, NAME, RETENTION_DAYS};
use super::shape::INTEGRATION;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::params::kept;

pub(crate) const ROUTE: Route = Route::put("integrations", "update")
    .about(
        "Integrations Update API",
        "Changes an integration. What is absent stays as it is; null gives `retention_days` back to the configuration.",
    )
    .params(&[TOKEN, ID, KEY.at(300), NAME.at(300), RETENTION_DAYS.at(350)])
    .data(&INTEGRATION)
    .example(r#"{"token": "pra_…", "id": 1, "name": "Acme Homes Inc."}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Managers,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let scope = call.scope_of("id").await?;
    let changes = IntegrationChanges {
        key: kept(input, "key", |input, name| {
            input.string_as(name, fields::key)
        }),
        name: kept(input, "name", |input, name| input.string(name)),
        retention_days: match input.given("retention_days", fields::retention_days) {
            Given::Value(days) => Some(Some(days)),
            Given::Null => Some(None),
            Given::Absent => None,
        },
    };
    let except = scope.map(|scope| scope.integration_id());
    call.refuse_faults(|| references(changes.key.as_deref(), except))
        .await?;
    let scope = input.finish(|| scope)?;
    let integration = call.app().update_integration(&scope, changes).await?;
    Ok(Reply::of(&integration)?)
}

fn references(key: Option<&str>, except: Option<IntegrationId>) -> Vec<Reference> {
    let key = key.map(|key| {
        let key = key.to_owned();
        Reference::new("key", Target::FreeIntegrationKey { key, except })
    });
    key.into_iter().collect()
}
