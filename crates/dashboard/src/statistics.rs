//! How deliveries went in the last hour, day or week: the figures, the plots, and the numbers behind them.

use std::time::Duration;

use domain::delivery_statistics::period_of;
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;

use crate::list;
use crate::plot::{Plot, Series};
use crate::posted::Fields;
use crate::refusal::Refusal;
use crate::text::{duration, grouped};
use crate::visit::Visit;

/// The name of the span in addresses.
const SPAN: &str = "span";

/// How far is looked back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Span {
    Hour,
    Day,
    Week,
}

impl Span {
    const ALL: [Span; 3] = [Span::Hour, Span::Day, Span::Week];

    /// The one that the address names; a day where it names none.
    pub(crate) fn of(query: &Fields) -> Span {
        let named = |span: &Span| span.name() == query.get(SPAN);
        Span::ALL.into_iter().find(named).unwrap_or(Span::Day)
    }

    /// Its name, in addresses and sentences.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Span::Hour => "hour",
            Span::Day => "day",
            Span::Week => "week",
        }
    }

    /// How long its periods are in seconds, and how many there are: as many as are told apart on a phone. A day and a week are read from what is
    /// counted by the hour.
    const fn periods(self) -> (i64, i64) {
        match self {
            Span::Hour => (60, 60),
            Span::Day => (60 * 60, 24),
            Span::Week => (3 * 60 * 60, 56),
        }
    }
}

/// What `delivery_statistics/show` answers.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Statistics {
    ends_at: String,
    pub(crate) total: Period,
    periods: Vec<Period>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Period {
    begins_at: String,
    pub(crate) delivered: u64,
    pub(crate) failed: u64,
    pub(crate) exhausted: u64,
    waiting: Option<u64>,
    pub(crate) delivery_time: Option<Percentiles>,
    attempt_time: Option<Percentiles>,
}

/// In microseconds.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Percentiles {
    pub(crate) p50: u64,
    pub(crate) p95: u64,
    pub(crate) p99: u64,
}

/// Whose statistics.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose {
    /// Of the integration that the path names.
    All,
    /// Of one of its subscriptions.
    Subscription(i64),
    /// Of this integration, where the path names none.
    Integration(i64),
}

/// Reads them.
///
/// # Errors
/// Whatever the API refuses.
pub(crate) async fn read(visit: &Visit, span: Span, whose: Whose) -> Result<Statistics, Refusal> {
    let (step, count) = span.periods();
    let back = Duration::from_secs(u64::try_from(step * (count - 1)).unwrap_or_default());
    let from = period_of(visit.client.dashboard.app.now(), step) - back;
    let mut asked = json!({ "from": from, "step_seconds": step });
    match whose {
        Whose::All => {}
        Whose::Subscription(id) => asked["webhook_out_sub_id"] = id.into(),
        Whose::Integration(id) => asked["integration_id"] = id.into(),
    }
    let reply = visit.call("delivery_statistics/show", asked).await?;
    reply.read()
}

/// The way to the other spans.
pub(crate) fn choice(path: &str, query: &Fields, chosen: Span) -> Markup {
    html! { nav.spans aria-label="Time span" { ul {
        @for span in Span::ALL {
            li { a href=(list::address(path, query, &[(SPAN, span.name())])) aria-current=[(span == chosen).then_some("true")] {
                "Last " (span.name())
            } }
        }
    } } }
}

/// A count with its thousands apart.
pub(crate) fn number(count: u64) -> String {
    grouped(i64::try_from(count).unwrap_or(i64::MAX))
}

/// A duration in microseconds, in words.
pub(crate) fn time(microseconds: u64) -> String {
    duration(i64::try_from(microseconds).unwrap_or(i64::MAX))
}

impl Statistics {
    /// The plots, and the numbers behind them. To stand in a part of the page with an id, which keeps it up to date.
    pub(crate) fn draw(&self, span: Span) -> Markup {
        html! {
            div.plots {
                (self.deliveries(span))
                @if self.total.waiting.is_some() { (self.waiting(span)) }
                (self.times("Time until delivered", span, |period| period.delivery_time))
                (self.times("Time of an accepted attempt", span, |period| period.attempt_time))
            }
            (self.numbers(span))
        }
    }

    /// Counts the deliveries of others too; how long all of them took, and how many waited at one moment, cannot be told.
    pub(crate) fn add(&mut self, other: &Statistics) {
        let add = |period: &mut Period, more: &Period| {
            period.delivered += more.delivered;
            period.failed += more.failed;
            period.exhausted += more.exhausted;
        };
        add(&mut self.total, &other.total);
        for (period, more) in self.periods.iter_mut().zip(&other.periods) {
            add(period, more);
        }
    }

    /// So many wait at this moment, which may not be counted yet.
    pub(crate) fn note_waiting(&mut self, count: u64) {
        let last = self.periods.last_mut().into_iter();
        for period in last.chain([&mut self.total]) {
            period.waiting = period.waiting.map(|counted| counted.max(count));
        }
    }

    /// The plot of how many were delivered and failed.
    pub(crate) fn deliveries(&self, span: Span) -> Markup {
        let values = |value: fn(&Period) -> u64| {
            let values = self.periods.iter().map(|period| Some(value(period)));
            values.collect()
        };
        let series = [
            Series {
                label: "delivered",
                class: "delivered",
                values: values(|period| period.delivered),
            },
            Series {
                label: "failed attempts",
                class: "failing",
                values: values(|period| period.failed),
            },
        ];
        let most = self.periods.iter().max_by_key(|period| period.delivered);
        let words = format!(
            "Deliveries of the last {}: {} delivered, {} failed attempts; at most {} delivered per {}.",
            span.name(),
            number(self.total.delivered),
            number(self.total.failed),
            number(most.map_or(0, |period| period.delivered)),
            length(span),
        );
        let plot = Plot {
            title: &format!("Deliveries per {}", length(span)),
            words: &words,
            series: &series,
            axis: &self.axis(span),
        };
        plot.bars()
    }

    /// The plot of how many waited.
    fn waiting(&self, span: Span) -> Markup {
        let values = self.periods.iter().map(|period| period.waiting);
        let series = [Series {
            label: "waiting",
            class: "waiting",
            values: values.collect(),
        }];
        let words = format!(
            "Jobs that waited in the last {}: at most {} at once.",
            span.name(),
            number(self.total.waiting.unwrap_or_default()),
        );
        let plot = Plot {
            title: "Most that waited at once",
            words: &words,
            series: &series,
            axis: &self.axis(span),
        };
        plot.bars()
    }

    fn times(&self, title: &str, span: Span, of: fn(&Period) -> Option<Percentiles>) -> Markup {
        let values = |value: fn(Percentiles) -> u64| {
            let values = self.periods.iter().map(|period| of(period).map(value));
            values.collect()
        };
        let series = [
            Series {
                label: "p50",
                class: "p50",
                values: values(|times| times.p50),
            },
            Series {
                label: "p95",
                class: "p95",
                values: values(|times| times.p95),
            },
            Series {
                label: "p99",
                class: "p99",
                values: values(|times| times.p99),
            },
        ];
        let words = match of(&self.total) {
            Some(times) => format!(
                "{title}, in the last {}: half within {}, 95 % within {}, 99 % within {}.",
                span.name(),
                time(times.p50),
                time(times.p95),
                time(times.p99)
            ),
            None => format!(
                "{title}: nothing was delivered in the last {}.",
                span.name()
            ),
        };
        let plot = Plot {
            title,
            words: &words,
            series: &series,
            axis: &self.axis(span),
        };
        plot.lines()
    }

    /// When each quarter begins, and the end.
    fn axis(&self, span: Span) -> Markup {
        let quarter = self.periods.len() / 4;
        let starts = self.periods.iter().step_by(quarter.max(1)).take(4);
        let style = match span {
            Span::Week => "day",
            _ => "clock",
        };
        html! {
            @for period in starts { (clock(&period.begins_at, style)) }
            (clock(&self.ends_at, style))
        }
    }

    fn numbers(&self, span: Span) -> Markup {
        let style = match span {
            Span::Week => "both",
            _ => "clock",
        };
        let waits = self.total.waiting.is_some();
        html! { details.numbers {
            summary { "The numbers" }
            div.scroll tabindex="0" role="region" aria-label="The numbers" { table {
                thead {
                    tr { th rowspan="2" scope="col" { "From" } th rowspan="2" scope="col" { "Delivered" } th rowspan="2" scope="col" { "Failed attempts" }
                        th rowspan="2" scope="col" { "Given up" } @if waits { th rowspan="2" scope="col" { "Waiting" } } th colspan="3" scope="colgroup" { "Until delivered" }
                        th colspan="3" scope="colgroup" { "Accepted attempt" } }
                    tr { @for _ in 0..2 { th scope="col" { "p50" } th scope="col" { "p95" } th scope="col" { "p99" } } }
                }
                tbody { @for period in &self.periods { tr {
                    th scope="row" { (clock(&period.begins_at, style)) }
                    td { (number(period.delivered)) } td { (number(period.failed)) } td { (number(period.exhausted)) }
                    @if let Some(waiting) = period.waiting { td.waiting { (number(waiting)) } }
                    (cells(period.delivery_time)) (cells(period.attempt_time))
                } } }
            } }
        } }
    }
}

fn cells(times: Option<Percentiles>) -> Markup {
    html! { @match times {
        Some(times) => { td { (time(times.p50)) } td { (time(times.p95)) } td { (time(times.p99)) } },
        None => { td {} td {} td {} },
    } }
}

/// How long a period is, in words.
const fn length(span: Span) -> &'static str {
    match span {
        Span::Hour => "minute",
        Span::Day => "hour",
        Span::Week => "three hours",
    }
}

/// A moment on an axis: in UTC, which the script replaces by the reader's own zone.
fn clock(rfc3339: &str, style: &str) -> Markup {
    let piece = |range: std::ops::Range<usize>| rfc3339.get(range).unwrap_or_default();
    html! { time datetime=(rfc3339) data-clock=(style) {
        @match style {
            "day" => { (piece(5..10)) },
            "both" => { (piece(5..10)) " " (piece(11..16)) " UTC" },
            _ => { (piece(11..16)) " UTC" },
        }
    } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statistics(span: Span) -> Statistics {
        let (_, count) = span.periods();
        let period = json!({
            "begins_at": "2026-01-31T16:20:00Z", "delivered": 123_456_789, "failed": 123_456, "exhausted": 12_345, "waiting": 1_234_567,
            "delivery_time": { "p50": 123_456, "p95": 1_234_567, "p99": 12_345_678 },
            "attempt_time": { "p50": 123_456, "p95": 1_234_567, "p99": 12_345_678 },
        });
        let periods = vec![period.clone(); usize::try_from(count).expect("a count")];
        let answer =
            json!({ "ends_at": "2026-01-31T17:20:00Z", "total": period, "periods": periods });
        serde_json::from_value(answer).expect("statistics")
    }

    #[test]
    fn the_fullest_plots_leave_room_for_the_rest_of_the_page() {
        for span in Span::ALL {
            let drawn = statistics(span).draw(span).into_string();
            assert!(drawn.len() < 60_000, "{span:?}: {}", drawn.len());
            assert!(!drawn.contains(" style="), "{drawn}");
            assert_eq!(drawn.matches("<figure").count(), 4);
        }
    }

    #[test]
    fn addresses_name_the_span() {
        let cases = [
            ("", Span::Day),
            ("span=hour", Span::Hour),
            ("span=week", Span::Week),
            ("span=year", Span::Day),
        ];
        for (query, span) in cases {
            assert_eq!(Span::of(&Fields::parse(query.as_bytes())), span, "{query}");
        }
    }
}
