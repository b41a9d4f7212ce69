//! Statistics of deliveries: counted with the outcomes, read by period, removed when they are old.

use async_trait::async_trait;
use domain::delivery_statistics::{
    DeliveryFigures, DurationClass, Measure, StatisticsStep, period_of,
};
use domain::time::Moment;
use rusqlite::{Connection, Row, params};
use store::{
    DeliveryStatistics, STATISTICS_PERIODS_MAX, StatisticsQuery, StatisticsTally, StoreError,
};

use crate::fault::Fault;
use crate::list_query::all;
use crate::open::SqliteStore;

/// Most jobs of a subscription that are counted as waiting: some 70 ms of a reader, once a minute.
const WAITING_MAX: i64 = 1_000_000;
/// Stands for no subscription: the integration as a whole.
const ALL_SUBSCRIPTIONS: i64 = 0;

// primary key
pub(crate) const ADD: &str = "insert into delivery_statistics (step_seconds, begins_at, integration_id, webhook_out_sub_id, measure, \
     duration_class, counted) values (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
     on conflict do update set counted = counted + excluded.counted";
// primary key, once for each minute or hour
pub(crate) const READ: &str = "with recursive steps (begins_at) as (values (?4) union all \
     select begins_at + ?1 * 1000000 from steps where begins_at + ?1 * 1000000 < ?5) \
     select (s.begins_at - ?4) / ?6 as place, s.measure, s.duration_class, \
     case s.measure when 'job_waiting' then max(s.counted) else sum(s.counted) end as counted \
     from steps cross join delivery_statistics s on s.step_seconds = ?1 and s.begins_at = steps.begins_at \
     and s.integration_id = ?2 and s.webhook_out_sub_id = ?3 group by 1, 2, 3";
// webhook_jobs_waiting, of one subscription after the other
pub(crate) const WAITING: &str = "select integration_id, sum(waiting) as waiting from (select s.integration_id, (select count(*) from \
     (select 1 from webhook_jobs where webhook_out_sub_id = s.id and finished_at is null limit ?1)) as waiting \
     from webhook_out_subs s where s.deleted_at is null) where waiting > 0 group by integration_id";
// primary key
pub(crate) const KEEP_HIGHEST: &str = "insert into delivery_statistics (step_seconds, begins_at, integration_id, webhook_out_sub_id, \
     measure, duration_class, counted) values (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
     on conflict do update set counted = max(counted, excluded.counted)";
// primary key
pub(crate) const REMOVE_OLD: &str = "delete from delivery_statistics where (step_seconds, begins_at, integration_id, webhook_out_sub_id, \
     measure, duration_class) in (select step_seconds, begins_at, integration_id, webhook_out_sub_id, measure, duration_class \
     from delivery_statistics where step_seconds = ?1 and begins_at < ?2 order by step_seconds, begins_at limit ?3)";

#[cfg(test)]
pub(crate) const STATEMENTS: &[&str] = &[ADD, READ, WAITING, KEEP_HIGHEST, REMOVE_OLD];

#[async_trait]
impl DeliveryStatistics for SqliteStore {
    async fn delivery_statistics(
        &self,
        query: StatisticsQuery,
    ) -> Result<Vec<DeliveryFigures>, StoreError> {
        self.read(move |connection| read(connection, query)).await
    }

    async fn count_waiting(&self, now: Moment) -> Result<(), StoreError> {
        // Read beside the writer, which a million of them would hold up.
        let waiting = self.read(waiting).await?;
        if waiting.is_empty() {
            return Ok(());
        }
        self.write(move |writing| keep_highest(&writing.connection, &waiting, now))
            .await
            .map_err(StoreError::from)
    }
}

/// How many jobs wait, by integration; those without any are left out.
fn waiting(connection: &Connection) -> Result<Vec<(i64, i64)>, Fault> {
    all(connection, WAITING, [WAITING_MAX], |row| {
        Ok((row.get("integration_id")?, row.get("waiting")?))
    })
}

fn keep_highest(connection: &Connection, waiting: &[(i64, i64)], now: Moment) -> Result<(), Fault> {
    let mut keep = connection.prepare_cached(KEEP_HIGHEST)?;
    for (integration, count) in waiting {
        for step in StatisticsStep::ALL {
            keep.execute(params![
                step.seconds(),
                period_of(now, step.seconds()).microseconds(),
                integration,
                ALL_SUBSCRIPTIONS,
                Measure::JobWaiting.name(),
                DurationClass::NONE.number(),
                count,
            ])?;
        }
    }
    Ok(())
}

/// Adds what a transaction has counted.
pub(crate) fn add(connection: &Connection, tally: &StatisticsTally) -> Result<(), Fault> {
    let mut add = connection.prepare_cached(ADD)?;
    for (key, counted) in tally.counts() {
        add.execute(params![
            key.step.seconds(),
            key.begins_at.microseconds(),
            key.integration_id.0,
            key.webhook_out_sub_id.map_or(ALL_SUBSCRIPTIONS, |id| id.0),
            key.measure.name(),
            key.class.number(),
            counted,
        ])?;
    }
    Ok(())
}

fn read(connection: &Connection, query: StatisticsQuery) -> Result<Vec<DeliveryFigures>, Fault> {
    let periods = query.periods.min(STATISTICS_PERIODS_MAX);
    let mut figures = vec![DeliveryFigures::default(); periods];
    let Some((step, until)) = query.reads() else {
        return Ok(figures);
    };
    let sub = query
        .webhook_out_sub_id
        .map_or(ALL_SUBSCRIPTIONS, |id| id.0);
    let mut statement = connection.prepare_cached(READ)?;
    let mut rows = statement.query(params![
        step.seconds(),
        query.integration_id.0,
        sub,
        query.from.microseconds(),
        until.microseconds(),
        query.step_seconds * 1_000_000,
    ])?;
    while let Some(row) = rows.next()? {
        count(&mut figures, row)?;
    }
    Ok(figures)
}

fn count(figures: &mut [DeliveryFigures], row: &Row<'_>) -> Result<(), Fault> {
    let place: i64 = row.get("place")?;
    let measure: String = row.get("measure")?;
    let number: i64 = row.get("duration_class")?;
    let counted: i64 = row.get("counted")?;
    // What a newer program counts beside is not shown.
    let known = Measure::parse(&measure).zip(DurationClass::from_number(number));
    let figures = usize::try_from(place)
        .ok()
        .and_then(|place| figures.get_mut(place));
    if let (Some(figures), Some((measure, class))) = (figures, known) {
        figures.add(measure, class, u64::try_from(counted).unwrap_or_default());
    }
    Ok(())
}

/// Removes counts of periods that lie far back, up to `limit` of each length; how many.
pub(crate) fn remove_old(
    connection: &Connection,
    now: Moment,
    limit: u32,
) -> Result<usize, rusqlite::Error> {
    let mut removed = 0;
    for step in StatisticsStep::ALL {
        let before = now - step.kept();
        let params = params![step.seconds(), before.microseconds(), limit];
        removed += connection.prepare_cached(REMOVE_OLD)?.execute(params)?;
    }
    Ok(removed)
}
