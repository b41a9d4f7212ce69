//! The API's own records: which services and routes are deployed.

use async_trait::async_trait;
use domain::id::{RouteId, ServiceId};
use domain::records::{Route, Service};
use domain::time::Moment;
use futures_util::FutureExt;
use serde::Serialize;
use store::{
    Change, DeclaredRoute, ListQuery, Page, Registry, RegistryRecords, Rejection, StoreError,
};
use tokio_postgres::Row;

use crate::audit::{self, AuditEvent};
use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::{Branch, Condition, ListPlan, all, moment, of_ids, one};
use crate::open::PostgresStore;
use crate::writing::Writing;

macro_rules! select_service {
    () => {
        "select id, key, deployed, created_at, updated_at from services "
    };
}
macro_rules! select_route {
    () => {
        "select id, service, action, method, deployed, created_at, updated_at from routes "
    };
}

// all of them, once a second at most
pub(crate) const SERVICES: &str = "select key, deployed from services";
pub(crate) const ROUTES: &str = "select service, action, deployed from routes";
// unique (key)
pub(crate) const DECLARE_SERVICES: &str = "insert into services (key, deployed, created_at, updated_at) \
     select d.key, true, $2, $2 from (select key, min(place) as place from unnest($1::text[]) with ordinality as u (key, place) \
     group by key) d where not exists (select 1 from services s where s.key = d.key) order by d.place on conflict (key) do nothing";
// unique (service, action)
pub(crate) const DECLARE_ROUTES: &str = "insert into routes (service, action, method, deployed, created_at, updated_at) \
     select d.service, d.action, d.method, true, $4, $4 \
     from unnest($1::text[], $2::text[], $3::text[]) with ordinality as d (service, action, method, place) \
     where not exists (select 1 from routes r where r.service = d.service and r.action = d.action and r.method = d.method) \
     order by d.place on conflict (service, action) do update set method = excluded.method";
// primary key
pub(crate) const SERVICES_BY_IDS: &str = concat!(select_service!(), "where id = any($1)");
pub(crate) const LOCK_SERVICE: &str = concat!(select_service!(), "where id = $1 for update");
// primary key
pub(crate) const ROUTES_BY_IDS: &str = concat!(select_route!(), "where id = any($1)");
pub(crate) const LOCK_ROUTE: &str = concat!(select_route!(), "where id = $1 for update");
// primary key
pub(crate) const UPDATE_SERVICE: &str =
    "update services set deployed = $2, updated_at = $3 where id = $1";
// primary key
pub(crate) const UPDATE_ROUTE: &str =
    "update routes set deployed = $2, updated_at = $3 where id = $1";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[
    SERVICES,
    ROUTES,
    DECLARE_SERVICES,
    DECLARE_ROUTES,
    SERVICES_BY_IDS,
    LOCK_SERVICE,
    ROUTES_BY_IDS,
    LOCK_ROUTE,
    UPDATE_SERVICE,
    UPDATE_ROUTE,
];

#[async_trait]
impl RegistryRecords for PostgresStore {
    async fn declare_routes(
        &self,
        routes: Vec<DeclaredRoute>,
        now: Moment,
    ) -> Result<(), StoreError> {
        let declared = self.write((routes, now), |writing, (routes, now)| {
            declare(writing, routes, *now).boxed()
        });
        declared.await.map_err(StoreError::from)
    }

    async fn registry(&self) -> Result<Registry, StoreError> {
        let connection = self.connection().await?;
        Ok(read_registry(&connection).await?)
    }

    async fn services(
        &self,
        deployed: Option<bool>,
        query: ListQuery,
    ) -> Result<Page<Service>, StoreError> {
        let connection = self.connection().await?;
        let plan = plan("services", None, deployed, &query).sorted(query.sort, &["key"]);
        let page = plan.page(&connection, &query, |connection, ids| {
            of_ids(connection, SERVICES_BY_IDS, ids, read_service).boxed()
        });
        Ok(page.await?)
    }

    async fn routes(
        &self,
        of_service: Option<String>,
        deployed: Option<bool>,
        query: ListQuery,
    ) -> Result<Page<Route>, StoreError> {
        let connection = self.connection().await?;
        let of_service = of_service.map(|key| Condition::new("service = ?", [key.into()]));
        let plan = plan("routes", of_service, deployed, &query);
        let plan = plan.sorted(query.sort, &["service", "action"]);
        let page = plan.page(&connection, &query, |connection, ids| {
            of_ids(connection, ROUTES_BY_IDS, ids, read_route).boxed()
        });
        Ok(page.await?)
    }

    async fn update_service(
        &self,
        id: ServiceId,
        deployed: bool,
        change: Change,
    ) -> Result<Service, Rejection> {
        let asked = (id, deployed, change);
        self.write(asked, |writing, (id, deployed, change)| {
            switch_service(writing, *id, *deployed, change).boxed()
        })
        .await
    }

    async fn update_route(
        &self,
        id: RouteId,
        deployed: bool,
        change: Change,
    ) -> Result<Route, Rejection> {
        let asked = (id, deployed, change);
        self.write(asked, |writing, (id, deployed, change)| {
            switch_route(writing, *id, *deployed, change).boxed()
        })
        .await
    }
}

async fn declare(writing: &Writing, routes: &[DeclaredRoute], now: Moment) -> Result<(), Fault> {
    let services: Vec<&str> = routes.iter().map(|route| route.service).collect();
    let actions: Vec<&str> = routes.iter().map(|route| route.action).collect();
    let methods: Vec<&str> = routes.iter().map(|route| route.method).collect();
    let now = now.microseconds();
    let connection = &writing.connection;
    connection
        .execute(DECLARE_SERVICES, &[&services, &now])
        .await?;
    let params: Params = &[&services, &actions, &methods, &now];
    connection.execute(DECLARE_ROUTES, params).await?;
    Ok(())
}

async fn read_registry(connection: &Connection) -> Result<Registry, Fault> {
    let mut registry = Registry::default();
    let services = all(connection, SERVICES, &[], |row| {
        Ok((row.try_get::<_, String>(0)?, row.try_get(1)?))
    });
    for (key, deployed) in services.await? {
        registry.service(&key, deployed);
    }
    let routes = all(connection, ROUTES, &[], |row| {
        let (service, action): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        Ok((service, action, row.try_get(2)?))
    });
    for (service, action, deployed) in routes.await? {
        registry.route(&service, &action, deployed);
    }
    Ok(registry)
}

async fn switch_service(
    writing: &Writing,
    id: ServiceId,
    deployed: bool,
    change: &Change,
) -> Result<Service, Fault> {
    let connection = &writing.connection;
    let before = one(connection, LOCK_SERVICE, &[&id.0], read_service).await?;
    let before = found(before)?;
    let params: Params = &[&id.0, &deployed, &change.at.microseconds()];
    connection.execute(UPDATE_SERVICE, params).await?;
    let after = Service {
        deployed,
        updated_at: change.at,
        ..before.clone()
    };
    write_event(connection, change, "service", id.0, (&before, &after)).await?;
    Ok(after)
}

async fn switch_route(
    writing: &Writing,
    id: RouteId,
    deployed: bool,
    change: &Change,
) -> Result<Route, Fault> {
    let connection = &writing.connection;
    let before = found(one(connection, LOCK_ROUTE, &[&id.0], read_route).await?)?;
    let params: Params = &[&id.0, &deployed, &change.at.microseconds()];
    connection.execute(UPDATE_ROUTE, params).await?;
    let after = Route {
        deployed,
        updated_at: change.at,
        ..before.clone()
    };
    write_event(connection, change, "route", id.0, (&before, &after)).await?;
    Ok(after)
}

fn found<T>(record: Option<T>) -> Result<T, Fault> {
    record.ok_or_else(|| Fault::refused("id", "does not exist"))
}

/// Writes what a record was and is.
async fn write_event<T: Serialize>(
    connection: &Connection,
    change: &Change,
    noun: &'static str,
    id: i64,
    (before, after): (&T, &T),
) -> Result<(), Fault> {
    let event = AuditEvent {
        integration_id: None,
        noun,
        record_id: id,
        action: "update",
        before: audit::json(before)?,
        after: audit::json(after)?,
    };
    audit::write(connection, change, event).await
}

fn read_service(row: &Row) -> Result<Service, Fault> {
    Ok(Service {
        id: ServiceId(row.try_get("id")?),
        key: row.try_get("key")?,
        deployed: row.try_get("deployed")?,
        created_at: moment(row, "created_at")?,
        updated_at: moment(row, "updated_at")?,
    })
}

fn read_route(row: &Row) -> Result<Route, Fault> {
    Ok(Route {
        id: RouteId(row.try_get("id")?),
        service: row.try_get("service")?,
        action: row.try_get("action")?,
        method: row.try_get("method")?,
        deployed: row.try_get("deployed")?,
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
