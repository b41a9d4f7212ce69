//! `list_items/index`.

use app::Access;
use contract::{Param, Route, TOKEN};
use store::List;

use super::shape::LIST_ITEMS;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::listing::{self, Listing};
use crate::params;

const LISTING: Listing = Listing {
    searched: &["slug", "name"],
    sorted: &["id", "slug", "name"],
    descending: false,
};
const SEARCH: &[Param] = &LISTING.search_params();
const SORT: &[Param] = &LISTING.sort_params();
const FILTERS: &[Param] = &[Param::boolean("active")
    .at(100)
    .about("Only words that can be used, or only those that cannot.")];

pub(crate) const ROUTE: Route = Route::post("list_items", "index")
    .about(
        "List Items Index API",
        "Lists the words of a vocabulary: `order_status` for statuses and stages, `order_event` for events.",
    )
    .params(&[
        TOKEN,
        Param::string("key")
            .at(200)
            .one_of(&List::NAMES)
            .about("The list; all lists when absent."),
        params::COUNT,
        params::VIEW,
        params::search(SEARCH),
        params::filters(FILTERS),
        params::PAGE,
        params::sort(SORT),
    ])
    .data(&LIST_ITEMS)
    .example(r#"{"token": "pra_…", "key": "order_status", "filters": {"active": true}}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Readers,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let input = call.input;
    let list = input.string("key").as_deref().and_then(List::parse);
    let active = input
        .hash("filters")
        .and_then(|filters| filters.boolean("active"));
    let query = LISTING.query(input);
    let query = input.finish(|| Some(query))?;
    let page = call.app().list_items(list, active, query).await?;
    Ok(listing::reply(&page, &page.items)?)
}
