//! `delivery_statistics/show`.

use app::{Access, Scope};
use contract::{Input, Param, Reply, Route, TOKEN};
use domain::delivery_statistics::{DeliveryFigures, period_of};
use domain::id::WebhookOutSubId;
use domain::time::Moment;
use std::time::Duration;
use store::{Reference, STATISTICS_PERIODS_MAX, StatisticsQuery, Target};

use super::shape::{DELIVERY_STATISTICS, Period, Shown};
use crate::call::Call;
use crate::endpoint::{Answer, Endpoint};
use crate::params::INTEGRATION_ID;

/// Seconds of a minute: what is counted is counted by minutes at least.
const MINUTE: i64 = 60;
/// Longest period, in seconds: a day.
const STEP_SECONDS_MAX: i64 = 24 * 60 * 60;
/// What is looked back at when nobody says how far, in seconds.
const HOUR: u64 = 60 * 60;
/// Periods that suit an hour, a day, a week, and longer, in seconds; the first that makes few enough of them is taken.
const STEPS_SECONDS: [i64; 4] = [MINUTE, 60 * 60, 3 * 60 * 60, STEP_SECONDS_MAX];
/// Periods that are few enough to read.
const PERIODS_READABLE: i64 = 61;

const SUB: Param = Param::integer("webhook_out_sub_id")
    .at(200)
    .about("Only deliveries to this subscription; all of the integration when absent.");

pub(crate) const ROUTE: Route = Route::post("delivery_statistics", "show")
    .about(
        "Delivery Statistics Show API",
        "Tells how deliveries went, period by period: how many were delivered, failed, were given up and waited, and how long they took. It costs \
         the same however many jobs there are. Minutes are kept for 3 days, hours for 90.",
    )
    .params(&[
        TOKEN,
        INTEGRATION_ID,
        SUB,
        Param::time("from")
            .at(300)
            .about("A moment in the first period; an hour before `to` when absent."),
        Param::time("to")
            .at(400)
            .about("The end: the last period is the one before it, or in which it lies. Now when absent."),
        Param::integer("step_seconds")
            .at(500)
            .range(MINUTE, STEP_SECONDS_MAX)
            .about(
                "How long a period is: a multiple of 60. Periods begin at multiples of it, in UTC; those of whole hours are told for 90 \
                 days, others for 3. When absent, what makes up to 60 periods of an hour, a day or a week. At most 400 periods are told at once.",
            ),
    ])
    .data(&DELIVERY_STATISTICS)
    .example(
        r#"{"token": "pra_…", "integration_id": 1, "from": "2026-01-31T00:00:00Z", "to": "2026-02-01T00:00:00Z", "step_seconds": 3600}"#,
    );

pub(crate) const ENDPOINT: Endpoint = Endpoint {
    route: &ROUTE,
    access: Access::Readers,
    handle: |call| Box::pin(handle(call)),
};

async fn handle(call: Call<'_>) -> Answer {
    let scope = call.scope().await?;
    let range = Range::of(call.input, call.app().now());
    call.refuse_faults(|| references(&call, scope)).await?;
    let (scope, range) = call.input.finish(|| Some((scope?, range?)))?;
    call.check(references(&call, Some(scope))).await?;
    let query = StatisticsQuery {
        integration_id: scope.integration_id(),
        webhook_out_sub_id: call.input.integer(SUB.name).map(WebhookOutSubId),
        from: range.from,
        step_seconds: range.step_seconds,
        periods: range.periods,
    };
    let figures = call.app().delivery_statistics(&scope, query).await?;
    Ok(Reply::of(&shown(&query, &figures))?)
}

fn references(call: &Call<'_>, scope: Option<Scope<'_>>) -> Vec<Reference> {
    let of_sub = |(scope, id): (Scope<'_>, i64)| {
        let integration_id = scope.integration_id();
        let id = WebhookOutSubId(id);
        Reference::new(SUB.name, Target::Subscription { integration_id, id })
    };
    let named = scope.zip(call.input.integer(SUB.name));
    named.map(of_sub).into_iter().collect()
}

fn shown(query: &StatisticsQuery, figures: &[DeliveryFigures]) -> Shown {
    let mut total = DeliveryFigures::default();
    let mut periods = Vec::with_capacity(figures.len());
    let step = Duration::from_secs(u64::try_from(query.step_seconds).unwrap_or_default());
    let mut begins_at = query.from;
    let is_whole = query.webhook_out_sub_id.is_none();
    for one in figures {
        total.add_all(one);
        periods.push(Period::of(begins_at, one, is_whole));
        begins_at = begins_at + step;
    }
    Shown {
        integration_id: query.integration_id,
        webhook_out_sub_id: query.webhook_out_sub_id,
        step_seconds: query.step_seconds,
        ends_at: begins_at,
        total: Period::of(query.from, &total, is_whole),
        periods,
    }
}

/// Which periods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    from: Moment,
    step_seconds: i64,
    periods: usize,
}

impl Range {
    /// What is asked for. What is at fault is noted.
    fn of(input: &Input<'_>, now: Moment) -> Option<Range> {
        let to = input.time("to").map_or(now, Moment::from_microseconds);
        let from = input.time("from").map(Moment::from_microseconds);
        let from = from.unwrap_or(to - Duration::from_secs(HOUR));
        let given = input.integer("step_seconds");
        if given.is_some_and(|seconds| seconds % MINUTE != 0) {
            input.fault("step_seconds", "must be a multiple of 60");
            return None;
        }
        if from >= to {
            input.fault("from", "must lie before the end");
            return None;
        }
        let range = match given {
            Some(seconds) => Range::by(from, to, seconds),
            None => Range::readable(from, to),
        };
        if range.is_none() {
            let message =
                format!("makes more than {STATISTICS_PERIODS_MAX} periods; take longer ones");
            input.fault("from", message);
        }
        range
    }

    /// By the first of the usual periods that makes few enough of them.
    fn readable(from: Moment, to: Moment) -> Option<Range> {
        let seconds = to.seconds() - from.seconds();
        let fits = |step: &i64| seconds <= (PERIODS_READABLE - 1) * step;
        let step = STEPS_SECONDS.into_iter().find(fits);
        Range::by(from, to, step.unwrap_or(STEP_SECONDS_MAX))
    }

    /// By periods of this length; nothing where they are too many.
    fn by(from: Moment, to: Moment, step_seconds: i64) -> Option<Range> {
        let from = period_of(from, step_seconds);
        let last = period_of(to - Duration::from_micros(1), step_seconds);
        let periods = (last.seconds() - from.seconds()) / step_seconds + 1;
        let periods = usize::try_from(periods).ok()?;
        (periods <= STATISTICS_PERIODS_MAX).then_some(Range {
            from,
            step_seconds,
            periods,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Moment {
        Moment::from_microseconds(seconds * 1_000_000)
    }

    #[test]
    fn periods_hold_the_beginning_and_the_end() {
        let by = |from, to, step| {
            let range = Range::by(at(from), at(to), step)?;
            Some((range.from.seconds(), range.periods))
        };
        assert_eq!(by(60, 180, 60), Some((60, 2)));
        assert_eq!(by(61, 181, 60), Some((60, 3)));
        assert_eq!(by(0, 400 * 60, 60), Some((0, 400)));
        assert_eq!(by(0, 400 * 60 + 1, 60), None);
    }

    #[test]
    fn what_is_looked_back_at_decides_how_long_a_period_is() {
        let (hour, day) = (3_600, 86_400);
        let cases = [
            (hour, 60),
            (hour + 1, hour),
            (day, hour),
            (7 * day, 10_800),
            (30 * day, day),
            (90 * day, day),
        ];
        for (length, step) in cases {
            let range = Range::readable(at(0), at(length)).expect("few enough");
            assert_eq!(range.step_seconds, step, "{length}");
        }
        assert_eq!(Range::readable(at(0), at(401 * day)), None);
    }
}
