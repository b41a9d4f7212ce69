//! Every route there is.

use contract::Route;

use crate::endpoint::Endpoint;
use crate::{
    applications, audit_events, clients, integrations, list_items, notifications, order_stages,
    orders, payload_render_views, routes, services, sessions, users, webhook_jobs,
    webhook_out_subs,
};

/// Every endpoint, service by service.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    sessions::create::ENDPOINT,
    sessions::request_link::ENDPOINT,
    sessions::show::ENDPOINT,
    sessions::delete::ENDPOINT,
    clients::register::ENDPOINT,
    users::client_register::ENDPOINT,
    users::show::ENDPOINT,
    users::update::ENDPOINT,
    users::index::ENDPOINT,
    users::create::ENDPOINT,
    users::roles_update::ENDPOINT,
    applications::create::ENDPOINT,
    applications::index::ENDPOINT,
    applications::update::ENDPOINT,
    applications::rotate_token::ENDPOINT,
    integrations::create::ENDPOINT,
    integrations::update::ENDPOINT,
    integrations::show::ENDPOINT,
    integrations::index::ENDPOINT,
    integrations::invitation_email::ENDPOINT,
    integrations::portal_link::ENDPOINT,
    webhook_out_subs::create::ENDPOINT,
    webhook_out_subs::update::ENDPOINT,
    webhook_out_subs::show::ENDPOINT,
    webhook_out_subs::index::ENDPOINT,
    webhook_out_subs::delete::ENDPOINT,
    webhook_out_subs::secret::ENDPOINT,
    webhook_out_subs::rotate_secret::ENDPOINT,
    webhook_out_subs::send_test::ENDPOINT,
    webhook_out_subs::explain::ENDPOINT,
    webhook_out_subs::enable::ENDPOINT,
    orders::create::ENDPOINT,
    orders::update::ENDPOINT,
    orders::show::ENDPOINT,
    orders::index::ENDPOINT,
    order_stages::create::ENDPOINT,
    order_stages::create_many::ENDPOINT,
    order_stages::show::ENDPOINT,
    order_stages::index::ENDPOINT,
    webhook_jobs::index::ENDPOINT,
    webhook_jobs::show::ENDPOINT,
    webhook_jobs::retry::ENDPOINT,
    webhook_jobs::retry_many::ENDPOINT,
    webhook_jobs::replay::ENDPOINT,
    webhook_jobs::cancel::ENDPOINT,
    payload_render_views::create::ENDPOINT,
    payload_render_views::update::ENDPOINT,
    payload_render_views::show::ENDPOINT,
    payload_render_views::index::ENDPOINT,
    payload_render_views::preview::ENDPOINT,
    list_items::create::ENDPOINT,
    list_items::update::ENDPOINT,
    list_items::index::ENDPOINT,
    notifications::index::ENDPOINT,
    notifications::update::ENDPOINT,
    services::index::ENDPOINT,
    services::update::ENDPOINT,
    routes::index::ENDPOINT,
    routes::update::ENDPOINT,
    audit_events::index::ENDPOINT,
];

/// The declarations of all routes, for documentation and tests.
pub fn all_routes() -> impl Iterator<Item = &'static Route> {
    ENDPOINTS.iter().map(|endpoint| endpoint.route)
}
