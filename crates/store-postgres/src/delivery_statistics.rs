//! Statistics of deliveries: counted with the outcomes, read by period, removed when they are old.

use async_trait::async_trait;
use domain::delivery_statistics::{
    DeliveryFigures, DurationClass, Measure, StatisticsStep, period_of,
};
use domain::time::Moment;
use store::{
    DeliveryStatistics, STATISTICS_PERIODS_MAX, StatisticsKey, StatisticsQuery, StatisticsTally,
    StoreError,
};
use tokio_postgres::Row;

use crate::connection::{Connection, Params};
use crate::fault::Fault;
use crate::list_query::all;
use crate::open::PostgresStore;

/// Stands for no subscription: the integration as a whole.
const ALL_SUBSCRIPTIONS: i64 = 0;
/// Stands for no node: what waits is counted for all of them, and a store that owns no lanes counts nothing else, but for what a test records.
const NO_NODE: i64 = 0;

// primary key
pub(crate) const ADD: &str = "insert into delivery_statistics (step_seconds, begins_at, integration_id, webhook_out_sub_id, measure, \
     duration_class, counted, node_id) \
     select u.step_seconds, u.begins_at, u.integration_id, u.webhook_out_sub_id, u.measure, u.duration_class, u.counted, $8::bigint \
     from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::bigint[]) \
     as u (step_seconds, begins_at, integration_id, webhook_out_sub_id, measure, duration_class, counted) \
     on conflict (step_seconds, begins_at, integration_id, webhook_out_sub_id, measure, duration_class, node_id) \
     do update set counted = delivery_statistics.counted + excluded.counted";
// primary key, once for each minute or hour
pub(crate) const READ: &str = "select ((s.begins_at - $4::bigint) / $6::bigint)::bigint as place, s.measure, s.duration_class, \
     case s.measure when 'job_waiting' then max(s.counted) else sum(s.counted)::bigint end as counted from generate_series($4::bigint, $5::bigint - 1, $1::bigint * 1000000) as steps (begins_at) \
     join delivery_statistics s on s.step_seconds = $1 and s.begins_at = steps.begins_at \
     and s.integration_id = $2 and s.webhook_out_sub_id = $3 group by 1, 2, 3";
// webhook_jobs_waiting_by_integration, all of it; primary key, in an order in which nodes do not wait in a circle
pub(crate) const COUNT_WAITING: &str = "insert into delivery_statistics (step_seconds, begins_at, integration_id, webhook_out_sub_id, \
     measure, duration_class, counted, node_id) \
     select p.step_seconds, p.begins_at, w.integration_id, $3::bigint, $4::text, $5::bigint, w.waiting, $6::bigint \
     from (select integration_id, count(*) as waiting from webhook_jobs_waiting group by integration_id) w \
     cross join unnest($1::bigint[], $2::bigint[]) as p (step_seconds, begins_at) order by p.step_seconds, w.integration_id \
     on conflict (step_seconds, begins_at, integration_id, webhook_out_sub_id, measure, duration_class, node_id) \
     do update set counted = greatest(delivery_statistics.counted, excluded.counted)";
// primary key
pub(crate) const REMOVE_OLD: &str = "delete from delivery_statistics where ctid = any(array(select ctid from delivery_statistics \
     where step_seconds = $1 and begins_at < $2 order by step_seconds, begins_at limit $3 for update skip locked))";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[ADD, READ, COUNT_WAITING, REMOVE_OLD];

#[async_trait]
impl DeliveryStatistics for PostgresStore {
    async fn delivery_statistics(
        &self,
        query: StatisticsQuery,
    ) -> Result<Vec<DeliveryFigures>, StoreError> {
        let connection = self.connection().await?;
        Ok(read(&connection, query).await?)
    }

    async fn count_waiting(&self, now: Moment) -> Result<(), StoreError> {
        let connection = self.connection().await?;
        let steps = StatisticsStep::ALL.map(StatisticsStep::seconds);
        let begin = steps.map(|seconds| period_of(now, seconds).microseconds());
        let params: Params = &[
            &steps.as_slice(),
            &begin.as_slice(),
            &ALL_SUBSCRIPTIONS,
            &Measure::JobWaiting.name(),
            &DurationClass::NONE.number(),
            &NO_NODE,
        ];
        connection.execute(COUNT_WAITING, params).await?;
        Ok(())
    }
}

/// Adds what a transaction of this node has counted. The last thing that a transaction does, since what it adds to stays locked until its end.
pub(crate) async fn add(
    connection: &Connection,
    node: Option<i64>,
    tally: &StatisticsTally,
) -> Result<(), Fault> {
    if tally.is_empty() {
        return Ok(());
    }
    let column = |value: fn(&StatisticsKey) -> i64| -> Vec<i64> {
        tally.counts().map(|(key, _)| value(key)).collect()
    };
    let measures: Vec<&str> = tally.counts().map(|(key, _)| key.measure.name()).collect();
    let counted: Vec<i64> = tally.counts().map(|(_, counted)| counted).collect();
    let params: Params = &[
        &column(|key| key.step.seconds()),
        &column(|key| key.begins_at.microseconds()),
        &column(|key| key.integration_id.0),
        &column(|key| key.webhook_out_sub_id.map_or(ALL_SUBSCRIPTIONS, |id| id.0)),
        &measures,
        &column(|key| key.class.number()),
        &counted,
        &node.unwrap_or(NO_NODE),
    ];
    connection.execute(ADD, params).await.map(|_| ())
}

async fn read(
    connection: &Connection,
    query: StatisticsQuery,
) -> Result<Vec<DeliveryFigures>, Fault> {
    let periods = query.periods.min(STATISTICS_PERIODS_MAX);
    let mut figures = vec![DeliveryFigures::default(); periods];
    let Some((step, until)) = query.reads() else {
        return Ok(figures);
    };
    let sub = query
        .webhook_out_sub_id
        .map_or(ALL_SUBSCRIPTIONS, |id| id.0);
    let params: Params = &[
        &step.seconds(),
        &query.integration_id.0,
        &sub,
        &query.from.microseconds(),
        &until.microseconds(),
        &(query.step_seconds * 1_000_000),
    ];
    for (place, measure, class, counted) in all(connection, READ, params, count).await? {
        let figures = usize::try_from(place)
            .ok()
            .and_then(|place| figures.get_mut(place));
        // What a newer program counts beside is not shown.
        if let (Some(figures), Some((measure, class))) = (figures, measure.zip(class)) {
            figures.add(measure, class, counted);
        }
    }
    Ok(figures)
}

fn count(row: &Row) -> Result<(i64, Option<Measure>, Option<DurationClass>, u64), Fault> {
    let counted: i64 = row.try_get("counted")?;
    Ok((
        row.try_get("place")?,
        Measure::parse(row.try_get("measure")?),
        DurationClass::from_number(row.try_get("duration_class")?),
        u64::try_from(counted).unwrap_or_default(),
    ))
}

/// Removes counts of periods that lie far back, up to `limit` of each length; how many.
pub(crate) async fn remove_old(
    connection: &Connection,
    now: Moment,
    limit: i64,
) -> Result<u64, Fault> {
    let mut removed = 0;
    for step in StatisticsStep::ALL {
        let before = now - step.kept();
        let params: Params = &[&step.seconds(), &before.microseconds(), &limit];
        removed += connection.execute(REMOVE_OLD, params).await?;
    }
    Ok(removed)
}
