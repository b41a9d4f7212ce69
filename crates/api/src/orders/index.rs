//! `orders/index`.

use app::Access;
use contract::{Param, Route, TOKEN};
use domain::id::IntegrationId;
use domain::time::Moment;
use store::{ListQuery, OrderQuery};

use super::Shown;
use super::shape::ORDERS;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::listing::{self, Listing};
use crate::params::{self, INTEGRATION_ID};

const LISTING: Listing = Listing {
    searched: &["external_order_id", "status", "address"],
    sorted: &["id", "created_at", "updated_at"],
    descending: true,
};
const SEARCH: &[Param] = &LISTING.search_params();
const SORT: &[Param] = &LISTING.sort_params();
const FILTERS: &[Param] = &[
    params::DATE_RANGE_START.at(100),
    params::DATE_RANGE_END.at(200),
    params::filter("status", &params::SLUG)
        .at(300)
        .about("Only orders in one of these statuses."),
    params::filter("external_order_id", &params::FOREIGN_ID)
        .at(400)
        .about("Only orders with one of these ids at the order system."),
];

pub(crate) const ROUTE: Route = Route::post("orders", "index")
    .about(
        "Orders Index API",
        "Lists the orders of an integration, the newest first.",
    )
    .params(&[
        TOKEN,
        INTEGRATION_ID,
        params::COUNT,
        params::VIEW,
        params::search(SEARCH),
        params::filters(FILTERS),
        params::PAGE,
        params::sort(SORT),
    ])
    .data(&ORDERS)
    .example(r#"{"token": "pra_…", "integration_id": 1, "filters": {"status": ["scheduled"]}, "page": {"size": 20}}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Readers,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let scope = call.scope().await?;
    let list = LISTING.query(call.input);
    let (scope, query) = call.input.finish(|| {
        let scope = scope?;
        Some((scope, query(&call, scope.integration_id(), list)))
    })?;
    let page = call.app().orders(&scope, query).await?;
    let orders: Vec<Shown<'_>> = page.items.iter().map(Shown).collect();
    Ok(listing::reply(&page, &orders)?)
}

fn query(call: &Call<'_>, integration_id: IntegrationId, list: ListQuery) -> OrderQuery {
    let filters = call.input.hash("filters");
    let strings = |name| filters.and_then(|filters| filters.strings(name));
    let time = |name| filters.and_then(|filters| filters.time(name));
    OrderQuery {
        integration_id,
        statuses: strings("status").unwrap_or_default(),
        external_order_ids: strings("external_order_id").unwrap_or_default(),
        created_from: time("date_range_start").map(Moment::from_microseconds),
        created_until: time("date_range_end").map(Moment::from_microseconds),
        list,
    }
}
