//! Orders: the list, and an order with the timeline of its stages and their jobs.

mod show;

use axum::extract::RawQuery;
use maud::{Markup, html};
use serde_json::Value;

use crate::list;
use crate::pages::Pages;
use crate::posted::Fields;
use crate::refusal::Refusal;
use crate::respond::{self, Answer};
use crate::shell::Screen;
use crate::text::{integer, moment, text};
use crate::visit::Visit;

pub(crate) fn router() -> Pages {
    Pages::new()
        .get("/integrations/{integration_id}/orders", index)
        .get("/integrations/{integration_id}/orders/{id}", show::show)
}

async fn index(visit: Visit, RawQuery(query): RawQuery) -> Result<Answer, Refusal> {
    let query = Fields::parse(query.unwrap_or_default().as_bytes());
    let route = visit.client.route("orders/index")?;
    let root = visit.root();
    let path = format!("{root}/orders");
    let reply = visit
        .call("orders/index", list::parameters(route, &query))
        .await?;
    let orders = reply.items();
    let main = html! {
        h1 { "Orders" }
        (list::bar(route, &path, &query, "order id, status or address"))
        section #orders data-live {
            @if orders.is_empty() {
                div.empty { p { "No order is found." } }
            } @else {
                div.scroll { table.list {
                    thead { tr {
                        th scope="col" { "Order" } th scope="col" { "Status" } th scope="col" { "Address" }
                        th scope="col" { "Stages" } th scope="col" { "Changed" }
                    } }
                    tbody { @for order in &orders { (row(&root, order)) } }
                } }
                (list::pager(&path, &query, &reply, orders.len()))
            }
        }
    };
    Ok(respond::screen(&Screen {
        visit: &visit,
        title: "Orders",
        above: &[],
        main,
    }))
}

fn row(root: &str, order: &Value) -> Markup {
    let id = integer(order, "id").unwrap_or_default();
    html! { tr {
        td data-label="Order" { a.shortened href={ (root) "/orders/" (id) } { (name(order)) } }
        td data-label="Status" { (text(order, "status")) }
        td data-label="Address" { (text(&order["address"], "street")) }
        td data-label="Stages" { (integer(order, "sequence").unwrap_or_default()) }
        td data-label="Changed" { (moment(text(order, "updated_at"))) }
    } }
}

/// What an order is called: its id at the order system, or ours.
fn name(order: &Value) -> String {
    match text(order, "external_order_id") {
        "" => format!("#{}", integer(order, "id").unwrap_or_default()),
        name => name.to_owned(),
    }
}
