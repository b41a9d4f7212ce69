//! `list_items/create`.

use app::Access;
use contract::{IDEMPOTENCY_KEY, Param, Route, TOKEN};
use store::{List, NewListItem};

use super::fields::{self, ACTIVE, DESCRIPTION, NAME, SLUG};
use super::shape::CREATED;
use crate::call::Call;
use crate::created;
use crate::endpoint::{Answer, Endpoint};

pub(crate) const ROUTE: Route = Route::post("list_items", "create")
    .about(
        "List Items Create API",
        "Adds a word to a vocabulary: an order status or an order event, usable at once.",
    )
    .params(&[
        TOKEN,
        Param::string("key")
            .at(1000)
            .required()
            .one_of(&List::NAMES)
            .about("The list."),
        SLUG.at(1100).required(),
        NAME.at(1300),
        DESCRIPTION.at(1400),
        ACTIVE.at(1600),
        IDEMPOTENCY_KEY.at(1700),
    ])
    .data(&CREATED)
    .example(
        r#"{"token": "pra_…", "key": "order_status", "slug": "awaiting_drone", "name": "Awaiting drone"}"#,
    );

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Operators,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let list = input.string("key").as_deref().and_then(List::parse);
    let slug = input.string_as("slug", fields::slug);
    let new = input.finish(|| {
        let slug = slug?;
        Some(NewListItem {
            list: list?,
            name: input.string("name").unwrap_or_else(|| slug.clone()),
            slug,
            description: input.string("description"),
            active: input.boolean("active").unwrap_or(true),
            idempotency: call.idempotency(),
        })
    })?;
    let made = call.app().create_list_item(call.caller, new).await?;
    Ok(created::reply(&made)?)
}
