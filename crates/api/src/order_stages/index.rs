//! `order_stages/index`.

use app::Access;
use contract::{Kind, Param, Route, TOKEN};
use domain::id::{IntegrationId, OrderId};
use domain::time::Moment;
use store::{ListQuery, StageQuery};

use super::shape::ORDER_STAGES;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::listing::{self, Listing};
use crate::params::{self, INTEGRATION_ID};

const LISTING: Listing = Listing {
    searched: &[],
    sorted: &["id"],
    descending: false,
};
const SORT: &[Param] = &LISTING.sort_params();
const FILTERS: &[Param] = &[
    params::DATE_RANGE_START.at(100),
    params::DATE_RANGE_END.at(200),
    params::filter("order_id", &Kind::INTEGER)
        .at(300)
        .about("Only changes of these orders."),
    params::filter("stage", &params::SLUG)
        .at(400)
        .about("Only these order statuses."),
    params::filter("event_slug", &params::SLUG)
        .at(500)
        .about("Only these events."),
];

pub(crate) const ROUTE: Route = Route::post("order_stages", "index")
    .about(
        "Order Stages Index API",
        "Lists the accepted changes of an integration in the order in which they were committed. Following \
         `next` shows each exactly once, whatever is added meanwhile: for reconciliation.",
    )
    .params(&[
        TOKEN,
        INTEGRATION_ID,
        params::COUNT,
        params::VIEW,
        params::filters(FILTERS),
        params::PAGE,
        params::sort(SORT),
    ])
    .data(&ORDER_STAGES)
    .example(r#"{"token": "pra_…", "integration_id": 1, "filters": {"date_range_start": "2026-01-31T00:00:00Z"}}"#);

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
    let page = call.app().order_stages(&scope, query).await?;
    Ok(listing::reply(&page, &page.items)?)
}

fn query(call: &Call<'_>, integration_id: IntegrationId, list: ListQuery) -> StageQuery {
    let filters = call.input.hash("filters");
    let strings = |name| filters.and_then(|filters| filters.strings(name));
    let time = |name| filters.and_then(|filters| filters.time(name));
    let orders = filters.and_then(|filters| filters.integers("order_id"));
    StageQuery {
        integration_id,
        order_ids: orders
            .unwrap_or_default()
            .into_iter()
            .map(OrderId)
            .collect(),
        stages: strings("stage").unwrap_or_default(),
        event_slugs: strings("event_slug").unwrap_or_default(),
        created_from: time("date_range_start").map(Moment::from_microseconds),
        created_until: time("date_range_end").map(Moment::from_microseconds),
        list,
    }
}
