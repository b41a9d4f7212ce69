//! `integrations/create`.

use app::Access;
use contract::{IDEMPOTENCY_KEY, Route, TOKEN};
use store::{NewIntegration, Reference, Target};

use super::fields::{self, KEY, NAME, RETENTION_DAYS};
use super::shape::CREATED;
use crate::call::Call;
use crate::created;
use crate::endpoint::{Answer, Endpoint};

pub(crate) const ROUTE: Route = Route::post("integrations", "create")
    .about(
        "Integrations Create API",
        "Makes an integration, to which orders and subscriptions then belong. Closed to applications that \
         are narrowed to one integration.",
    )
    .params(&[
        TOKEN,
        KEY.at(200).required(),
        NAME.at(200).required(),
        RETENTION_DAYS.at(250),
        IDEMPOTENCY_KEY.at(300),
    ])
    .data(&CREATED)
    .example(r#"{"token": "pra_…", "key": "acme-homes", "name": "Acme Homes"}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Operators,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let key = input.string_as("key", fields::key);
    let name = input.string("name");
    let retention_days = fields::retention_days(input, "retention_days");
    let idempotency = call.idempotency();
    call.refuse_faults(|| references(key.as_deref())).await?;
    let new = input.finish(|| {
        Some(NewIntegration {
            key: key?,
            name: name?,
            retention_days,
            idempotency,
        })
    })?;
    let made = call.app().create_integration(call.caller, new).await?;
    Ok(created::reply(&made)?)
}

fn references(key: Option<&str>) -> Vec<Reference> {
    let key = key.map(|key| {
        let key = key.to_owned();
        Reference::new("key", Target::FreeIntegrationKey { key, except: None })
    });
    key.into_iter().collect()
}
