//! `list_items/update`.

use app::Access;
use contract::{Given, Param, Reply, Route, TOKEN};
use domain::id::ListItemId;
use store::ListItemChanges;

use super::fields::{ACTIVE, DESCRIPTION, NAME};
use super::shape::LIST_ITEM;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::params::kept;

pub(crate) const ROUTE: Route = Route::put("list_items", "update")
    .about(
        "List Items Update API",
        "Changes a word of a vocabulary, or switches it off and on. What is absent stays; `null` clears the \
         description. The slug stays, since orders and subscriptions hold it.",
    )
    .params(&[
        TOKEN,
        Param::integer("id")
            .at(400)
            .required()
            .about("The id of the word."),
        NAME.at(1200),
        DESCRIPTION.at(1400),
        ACTIVE.at(1600),
    ])
    .data(&LIST_ITEM)
    .example(r#"{"token": "pra_…", "id": 1, "description": "Photos are being put together."}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Operators,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let id = input.integer("id").map(ListItemId);
    let description = input.given("description", |input, name| input.string(name));
    let changes = ListItemChanges {
        name: kept(input, "name", |input, name| input.string(name)),
        description: match description {
            Given::Value(text) => Some(Some(text)),
            Given::Null => Some(None),
            Given::Absent => None,
        },
        active: kept(input, "active", |input, name| input.boolean(name)),
    };
    let id = input.finish(|| id)?;
    let updated = call.app().update_list_item(call.caller, id, changes);
    Ok(Reply::of(&updated.await?)?)
}
