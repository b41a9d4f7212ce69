//! `users/index`.

use app::Access;
use contract::{Kind, Param, Route, TOKEN};
use domain::id::IntegrationId;
use domain::user::Role;
use store::UserQuery;

use super::shape::USERS;
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::listing::{self, Listing};
use crate::params;

const LISTING: Listing = Listing {
    searched: &["email", "name"],
    sorted: &["id", "email", "name", "created_at", "updated_at"],
    descending: false,
};
const SEARCH: &[Param] = &LISTING.search_params();
const SORT: &[Param] = &LISTING.sort_params();
const FILTERS: &[Param] = &[
    Param::array("roles", &Kind::STRING)
        .at(100)
        .items(0, Role::NAMES.len())
        .one_of(&Role::NAMES)
        .about("Only users with one of these roles."),
    Param::integer("integration_id")
        .at(200)
        .about("Only users who are scoped to this integration."),
];

pub(crate) const ROUTE: Route = Route::post("users", "index")
    .about("Users Index API", "Lists users with their roles and reach.")
    .params(&[
        TOKEN,
        params::COUNT,
        params::VIEW,
        params::search(SEARCH),
        params::filters(FILTERS),
        params::PAGE,
        params::sort(SORT),
    ])
    .data(&USERS)
    .example(r#"{"token": "pra_…", "filters": {"roles": ["client"]}, "count": true}"#);

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Operators,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let filters = call.input.hash("filters");
    let query = UserQuery {
        roles: filters.and_then(super::roles).unwrap_or_default(),
        integration_id: filters
            .and_then(|filters| filters.integer("integration_id"))
            .map(IntegrationId),
        list: LISTING.query(call.input),
    };
    let query = call.input.finish(|| Some(query))?;
    let page = call.app().users(query).await?;
    Ok(listing::reply(&page, &page.items)?)
}
