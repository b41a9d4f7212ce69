//! The API's own records: which services and routes are deployed.

use async_trait::async_trait;
use domain::id::{RouteId, ServiceId};
use domain::records::{Route, Service};
use domain::time::Moment;
use rusqlite::{Connection, Row, params};
use serde::Serialize;
use store::{
    Change, DeclaredRoute, ListQuery, Page, Registry, RegistryRecords, Rejection, StoreError,
};

use crate::audit::{self, AuditEvent};
use crate::fault::Fault;
use crate::list_query::{Branch, Condition, ListPlan, all, moment, one};
use crate::open::SqliteStore;

// all of them, once a second at most
pub(crate) const SERVICES: &str = "select key, deployed from services";
pub(crate) const ROUTES: &str = "select service, action, deployed from routes";
pub(crate) const DECLARE_SERVICE: &str =
    "insert or ignore into services (key, deployed, created_at, updated_at) values (?1, 1, ?2, ?2)";
pub(crate) const DECLARE_ROUTE: &str = "insert into routes (service, action, method, deployed, created_at, updated_at) \
     values (?1, ?2, ?3, 1, ?4, ?4) on conflict (service, action) do update set method = excluded.method \
     where method <> excluded.method";
// primary key
pub(crate) const SERVICE: &str =
    "select id, key, deployed, created_at, updated_at from services where id = ?1";
// primary key
pub(crate) const ROUTE: &str = "select id, service, action, method, deployed, created_at, updated_at from routes where id = ?1";
// primary key
pub(crate) const UPDATE_SERVICE: &str =
    "update services set deployed = ?2, updated_at = ?3 where id = ?1";
// primary key
pub(crate) const UPDATE_ROUTE: &str =
    "update routes set deployed = ?2, updated_at = ?3 where id = ?1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    SERVICES,
    ROUTES,
    DECLARE_SERVICE,
    DECLARE_ROUTE,
    SERVICE,
    ROUTE,
    UPDATE_SERVICE,
    UPDATE_ROUTE,
];

#[async_trait]
impl RegistryRecords for SqliteStore {
    async fn declare_routes(
        &self,
        routes: Vec<DeclaredRoute>,
        now: Moment,
    ) -> Result<(), StoreError> {
        let declared = self.write(move |writing| {
            let now = now.microseconds();
            for route in &routes {
                let connection = &writing.connection;
                connection
                    .prepare_cached(DECLARE_SERVICE)?
                    .execute(params![route.service, now])?;
                connection.prepare_cached(DECLARE_ROUTE)?.execute(params![
                    route.service,
                    route.action,
                    route.method,
                    now
                ])?;
            }
            Ok(())
        });
        declared.await.map_err(StoreError::from)
    }

    async fn registry(&self) -> Result<Registry, StoreError> {
        self.read(|connection| {
            let mut registry = Registry::default();
            let services = all(connection, SERVICES, [], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?))
            })?;
            for (key, deployed) in services {
                registry.service(&key, deployed);
            }
            let routes = all(connection, ROUTES, [], |row| {
                let (service, action): (String, String) = (row.get(0)?, row.get(1)?);
                Ok((service, action, row.get::<_, bool>(2)?))
            })?;
            for (service, action, deployed) in routes {
                registry.route(&service, &action, deployed);
            }
            Ok(registry)
        })
        .await
    }

    async fn services(
        &self,
        deployed: Option<bool>,
        query: ListQuery,
    ) -> Result<Page<Service>, StoreError> {
        self.read(move |connection| {
            plan("services", None, deployed, &query)
                .sorted(query.sort, &["key"])
                .page(connection, &query, service)
        })
        .await
    }

    async fn routes(
        &self,
        of_service: Option<String>,
        deployed: Option<bool>,
        query: ListQuery,
    ) -> Result<Page<Route>, StoreError> {
        self.read(move |connection| {
            let of_service = of_service
                .as_ref()
                .map(|key| Condition::new("service = ?", [key.clone().into()]));
            plan("routes", of_service, deployed, &query)
                .sorted(query.sort, &["service", "action"])
                .page(connection, &query, route)
        })
        .await
    }

    async fn update_service(
        &self,
        id: ServiceId,
        deployed: bool,
        change: Change,
    ) -> Result<Service, Rejection> {
        self.write(move |writing| {
            let connection = &writing.connection;
            let before = found(service(connection, id.0)?)?;
            switch(connection, UPDATE_SERVICE, id.0, deployed, &change)?;
            let after = found(service(connection, id.0)?)?;
            write_event(connection, &change, "service", id.0, &before, &after)?;
            Ok(after)
        })
        .await
    }

    async fn update_route(
        &self,
        id: RouteId,
        deployed: bool,
        change: Change,
    ) -> Result<Route, Rejection> {
        self.write(move |writing| {
            let connection = &writing.connection;
            let before = found(route(connection, id.0)?)?;
            switch(connection, UPDATE_ROUTE, id.0, deployed, &change)?;
            let after = found(route(connection, id.0)?)?;
            write_event(connection, &change, "route", id.0, &before, &after)?;
            Ok(after)
        })
        .await
    }
}

fn found<T>(record: Option<T>) -> Result<T, Fault> {
    record.ok_or_else(|| Fault::refused("id", "does not exist"))
}

fn switch(
    connection: &Connection,
    update: &str,
    id: i64,
    deployed: bool,
    change: &Change,
) -> Result<(), Fault> {
    let params = params![id, deployed, change.at.microseconds()];
    connection.prepare_cached(update)?.execute(params)?;
    Ok(())
}

fn write_event(
    connection: &Connection,
    change: &Change,
    noun: &'static str,
    id: i64,
    before: &impl Serialize,
    after: &impl Serialize,
) -> Result<(), Fault> {
    let event = AuditEvent {
        integration_id: None,
        noun,
        record_id: id,
        action: "update",
        before: audit::json(before)?,
        after: audit::json(after)?,
    };
    audit::write(connection, change, event)
}

fn service(connection: &Connection, id: i64) -> Result<Option<Service>, Fault> {
    one(connection, SERVICE, [id], |row| {
        Ok(Service {
            id: ServiceId(row.get("id")?),
            key: row.get("key")?,
            deployed: row.get("deployed")?,
            created_at: moment(row, "created_at")?,
            updated_at: moment(row, "updated_at")?,
        })
    })
}

fn route(connection: &Connection, id: i64) -> Result<Option<Route>, Fault> {
    one(connection, ROUTE, [id], read_route)
}

fn read_route(row: &Row<'_>) -> Result<Route, Fault> {
    Ok(Route {
        id: RouteId(row.get("id")?),
        service: row.get("service")?,
        action: row.get("action")?,
        method: row.get("method")?,
        deployed: row.get("deployed")?,
        created_at: moment(row, "created_at")?,
        updated_at: moment(row, "updated_at")?,
    })
}

/// There are few enough of both to be walked through each time.
fn plan(
    table: &'static str,
    only: Option<Condition>,
    deployed: Option<bool>,
    query: &ListQuery,
) -> ListPlan {
    let deployed = deployed.map(|deployed| Condition::new("deployed = ?", [deployed.into()]));
    let found = query.search.iter().map(Condition::found);
    let only = only.unwrap_or_else(|| Condition::new("true", []));
    let conditions = deployed.into_iter().chain(found).collect();
    ListPlan::new(vec![Branch::new(table, only)], conditions)
}
