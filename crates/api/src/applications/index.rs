//! `applications/index`.

use app::Access;
use contract::{Param, Route, TOKEN};

use super::shape::APPLICATIONS;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::listing::{self, Listing};
use crate::params;

const LISTING: Listing = Listing {
    searched: &["slug"],
    sorted: &["id", "slug", "created_at"],
    descending: false,
};
const SEARCH: &[Param] = &LISTING.search_params();
const SORT: &[Param] = &LISTING.sort_params();
const FILTERS: &[Param] = &[Param::boolean("active")
    .at(100)
    .about("Only applications whose tokens are accepted, or only the others.")];

pub(crate) const ROUTE: Route = Route::post("applications", "index")
    .about(
        "Applications Index API",
        "Lists the programs that call the API, without their tokens.",
    )
    .params(&[
        TOKEN,
        params::COUNT,
        params::VIEW,
        params::search(SEARCH),
        params::filters(FILTERS),
        params::PAGE,
        params::sort(SORT),
    ])
    .data(&APPLICATIONS)
    .example(r#"{"token": "pra_…", "filters": {"active": true}}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Operators,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let active = params::filter_boolean(call.input, "active");
    let query = LISTING.query(call.input);
    let query = call.input.finish(|| Some(query))?;
    let page = call.app().applications(active, query).await?;
    Ok(listing::reply(&page, &page.items)?)
}
