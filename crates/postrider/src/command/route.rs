//! `postrider route`: which services and routes of the API answer. Works when the API's own routes for this
//! are switched off.

use anyhow::{Context, bail};
use clap::Subcommand;
use domain::records::{Route, Service};
use store::Store;

use super::{all, change, on_store, print};
use crate::config::ConfigArgs;

/// What can be done with services and routes.
#[derive(Debug, Subcommand)]
pub enum RouteCommand {
    /// Lists the routes, and whether they and their services are deployed.
    List {
        /// Print as JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Switches a service, or one of its routes, on or off; servers notice within a second.
    Update {
        /// The service, such as `orders`.
        #[arg(long)]
        service: String,
        /// The route within it, such as `index`; the whole service without this.
        #[arg(long)]
        action: Option<String>,
        /// Whether it answers.
        #[arg(long, value_name = "BOOLEAN", action = clap::ArgAction::Set)]
        deployed: bool,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

/// Runs the command.
///
/// # Errors
/// The store cannot be used; there is no such service or route.
pub fn run(command: RouteCommand) -> anyhow::Result<()> {
    match command {
        RouteCommand::List { json, config } => {
            let (services, routes) = on_store(config, async |store| records(store).await)?;
            print_list(&services, &routes, json)
        }
        RouteCommand::Update {
            service,
            action,
            deployed,
            config,
        } => {
            let name = match &action {
                Some(action) => format!("{service}/{action}"),
                None => service.clone(),
            };
            on_store(config, async |store| {
                let (services, routes) = records(store).await?;
                if let Some(action) = action {
                    let is_it = |route: &&Route| route.service == service && route.action == action;
                    let route = routes.iter().find(is_it).with_context(|| unknown(&name))?;
                    store.update_route(route.id, deployed, change()).await?;
                } else {
                    let is_it = |known: &&Service| known.key == service;
                    let found = services.iter().find(is_it);
                    let found = found.with_context(|| unknown(&name))?;
                    store.update_service(found.id, deployed, change()).await?;
                }
                Ok(())
            })?;
            let state = if deployed { "deployed" } else { "not deployed" };
            print(&format!("{name} is {state}"))
        }
    }
}

fn unknown(name: &str) -> String {
    format!(
        "there is no record of {name}; `route list` shows those there are, once a server has run"
    )
}

async fn records(store: &dyn Store) -> anyhow::Result<(Vec<Service>, Vec<Route>)> {
    let services = all("key", |query| store.services(None, query)).await?;
    let routes = all("service", |query| store.routes(None, None, query)).await?;
    if routes.is_empty() {
        bail!("there are no records yet: `postrider serve` makes them when it starts");
    }
    Ok((services, routes))
}

fn print_list(services: &[Service], routes: &[Route], as_json: bool) -> anyhow::Result<()> {
    if as_json {
        let all = serde_json::json!({ "services": services, "routes": routes });
        return print(&all.to_string());
    }
    for route in routes {
        let is_on = |service: &&Service| service.key == route.service && service.deployed;
        let state = match (
            services.iter().any(|service| is_on(&service)),
            route.deployed,
        ) {
            (true, true) => "deployed",
            (true, false) => "not deployed",
            (false, _) => "service not deployed",
        };
        let Route {
            method,
            service,
            action,
            ..
        } = route;
        print(&format!("{method}\t{service}/{action}\t{state}"))?;
    }
    Ok(())
}
