//! Plots, drawn on the server as SVG: styled by classes, since the policy allows no styles inline, and as wide as the page, since what is
//! drawn is stretched and what is written is not.
//!
//! A plot says in words what it shows; the numbers stand in a table beside it, from which the script tells those of a period.

use maud::{Markup, html};

use crate::text::grouped;

/// Height of what is drawn, in pixels, and of the room above it for the topmost label.
const HEIGHT: f64 = 150.0;
const ABOVE: f64 = 16.0;
/// Most decades of a plot of durations: nine lie between a microsecond and half an hour.
const DECADES_MAX: i32 = 9;

/// Values of each period, as a plot tells them apart.
pub(crate) struct Series {
    /// Its name in the legend.
    pub(crate) label: &'static str,
    /// Its class in the styles.
    pub(crate) class: &'static str,
    /// One for each period; none where there is nothing to show.
    pub(crate) values: Vec<Option<u64>>,
}

/// A plot and its words.
pub(crate) struct Plot<'a> {
    /// Its heading.
    pub(crate) title: &'a str,
    /// What it shows, for those who do not see it.
    pub(crate) words: &'a str,
    pub(crate) series: &'a [Series],
    /// Below it: when its quarters begin, and its end.
    pub(crate) axis: &'a Markup,
}

impl Plot<'_> {
    /// Bars, the series one on the other.
    pub(crate) fn bars(&self) -> Markup {
        let periods = self.periods();
        let sum = |place: usize| -> u64 {
            let values = self.series.iter().map(|series| series.values[place]);
            values.flatten().sum()
        };
        let top = ceiling((0..periods).map(sum).max().unwrap_or_default());
        let share = |value: u64| value as f64 / top as f64 * HEIGHT;
        let mut below = vec![0.0; periods];
        let paths: Vec<(&str, String)> = self
            .series
            .iter()
            .map(|series| {
                let mut path = String::new();
                for (place, value) in series.values.iter().enumerate() {
                    let height = share(value.unwrap_or_default());
                    if height > 0.0 {
                        // A single failure among thousands must still be seen.
                        let height = height.max(2.0);
                        let bottom = HEIGHT - below[place];
                        path += &format!("M{place}.1 {bottom:.1}v-{height:.1}h.8v{height:.1}z");
                        below[place] += height;
                    }
                }
                (series.class, path)
            })
            .collect();
        let ticks = [top, top / 2].map(|value| (HEIGHT - share(value), count(value)));
        let drawn =
            html! { @for (class, path) in &paths { path class={ "bar " (class) } d=(path) {} } };
        self.figure(&ticks, &drawn)
    }

    /// Lines of durations in microseconds, each ten times of which is one step up.
    pub(crate) fn lines(&self) -> Markup {
        let values = self.series.iter().flat_map(|series| &series.values);
        let (low, high) = decades(values.flatten().copied());
        let height = |value: u64| {
            let part = (value.max(1) as f64).log10() - f64::from(low);
            HEIGHT - (part / f64::from(high - low)).clamp(0.0, 1.0) * HEIGHT
        };
        let drawn = html! { @for series in self.series {
            path class={ "line " (series.class) } d=(line(&series.values, height)) {}
        } };
        let decades = (low..=high).map(|decade| 10_u64.pow(u32::try_from(decade).unwrap_or(0)));
        let ticks: Vec<(f64, String)> = decades.map(|value| (height(value), unit(value))).collect();
        self.figure(&ticks, &drawn)
    }

    fn periods(&self) -> usize {
        self.series
            .iter()
            .map(|series| series.values.len())
            .min()
            .unwrap_or_default()
    }

    fn figure(&self, ticks: &[(f64, String)], drawn: &Markup) -> Markup {
        let (periods, whole) = (self.periods(), HEIGHT + ABOVE + 1.0);
        html! { figure.plot {
            figcaption { strong { (self.title) } (legend(self.series)) }
            svg width="100%" height=(whole) role="img" aria-label=(self.words) {
                @for (at, _) in ticks { (across("grid", at + ABOVE)) }
                (across("base", HEIGHT + ABOVE))
                svg y=(ABOVE) width="100%" height=(HEIGHT) viewBox={ "0 0 " (periods) " " (HEIGHT) } preserveAspectRatio="none" { (drawn) }
                @for (at, label) in ticks { text.tick x="0" y=(pixels(at + ABOVE - 3.0)) { (label) } }
            }
            div.axis { (self.axis) }
        } }
    }
}

/// A line from side to side.
fn across(class: &str, at: f64) -> Markup {
    html! { line class=(class) x1="0" x2="100%" y1=(pixels(at)) y2=(pixels(at)) {} }
}

fn pixels(number: f64) -> String {
    format!("{number:.1}")
}

fn legend(series: &[Series]) -> Markup {
    html! { ul.legend { @for one in series {
        li { svg class="key" width="14" height="10" aria-hidden="true" { path class={ "sample " (one.class) } d="M0 5h14" {} } " " (one.label) }
    } } }
}

/// A line through the middles of the periods, with a gap where there is nothing; what stands alone is a dash.
fn line(values: &[Option<u64>], height: impl Fn(u64) -> f64) -> String {
    let at = |place: Option<usize>| place.and_then(|place| values.get(place)).copied().flatten();
    let mut path = String::new();
    for (place, value) in values.iter().enumerate() {
        let Some(value) = *value else { continue };
        let (before, after) = (at(place.checked_sub(1)), at(Some(place + 1)));
        let y = height(value);
        path += &match (before, after) {
            (None, None) => format!("M{place}.2 {y:.1}h.6"),
            (None, Some(_)) => format!("M{place}.5 {y:.1}"),
            (Some(_), _) => format!("L{place}.5 {y:.1}"),
        };
    }
    path
}

/// The least number of the kind 1, 2, 5, 10, 20 … that is not below this one, and even: its half is labelled too.
fn ceiling(value: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        for step in [2, 4, 10] {
            let ceiling = unit.saturating_mul(step);
            if ceiling >= value {
                return ceiling;
            }
        }
        unit = unit.saturating_mul(10);
    }
}

/// From which power of ten to which these values go: at least one decade.
fn decades(values: impl Iterator<Item = u64>) -> (i32, i32) {
    let bounds = values.fold(None, |bounds: Option<(u64, u64)>, value| {
        let (low, high) = bounds.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    });
    // A millisecond to a second, where there is nothing.
    let (low, high) = bounds.unwrap_or((1_000, 999_999));
    let decade = |value: u64| i32::try_from(value.max(1).ilog10()).unwrap_or(0);
    let high = decade(high) + 1;
    (decade(low).max(high - DECADES_MAX), high)
}

/// A count, short enough for a label.
fn count(value: u64) -> String {
    match value {
        0..10_000 => grouped(i64::try_from(value).unwrap_or(i64::MAX)),
        10_000..1_000_000 => format!("{}k", value / 1_000),
        _ => format!("{}M", value / 1_000_000),
    }
}

/// A power of ten of microseconds, as a label.
fn unit(microseconds: u64) -> String {
    match microseconds {
        0..1_000 => format!("{microseconds} µs"),
        1_000..1_000_000 => format!("{} ms", microseconds / 1_000),
        1_000_000..1_000_000_000 => format!("{} s", microseconds / 1_000_000),
        1_000_000_000..100_000_000_000 => format!("{} min", microseconds / 60_000_000),
        _ => format!("{} h", microseconds / 3_600_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(class: &'static str, values: &[Option<u64>]) -> Series {
        Series {
            label: "Delivered",
            class,
            values: values.to_vec(),
        }
    }

    fn plot(series: &[Series], draw: fn(&Plot<'_>) -> Markup) -> String {
        let axis = html! {};
        let plot = Plot {
            title: "Deliveries",
            words: "3 <delivered>",
            series,
            axis: &axis,
        };
        draw(&plot).into_string()
    }

    #[test]
    fn bars_stand_on_each_other_and_the_least_is_seen() {
        let all = [
            series("delivered", &[Some(1_000), None, Some(500)]),
            series("failed", &[None, Some(0), Some(1)]),
        ];
        let drawn = plot(&all, |plot| plot.bars());
        assert!(drawn.contains("M0.1 150.0v-150.0h.8v150.0z"), "{drawn}");
        // On top of 75 pixels, and two pixels high.
        assert!(drawn.contains("M2.1 75.0v-2.0h.8v2.0z"), "{drawn}");
        assert!(drawn.contains(">1,000</text>") && drawn.contains(">500</text>"));
        assert!(
            drawn.contains("aria-label=\"3 &lt;delivered&gt;\""),
            "{drawn}"
        );
    }

    #[test]
    fn lines_have_gaps_and_what_stands_alone_is_seen() {
        let values = [Some(1_000), Some(10_000), None, Some(1_000)];
        let drawn = plot(&[series("p50", &values)], |plot| plot.lines());
        assert!(
            drawn.contains("d=\"M0.5 150.0L1.5 75.0M3.2 150.0h.6\""),
            "{drawn}"
        );
        assert!(drawn.contains(">1 ms</text>") && drawn.contains(">100 ms</text>"));
        // Nothing at all is a plot too.
        let drawn = plot(&[series("p50", &[None])], |plot| plot.lines());
        assert!(drawn.contains(">1 s</text>"), "{drawn}");
    }

    #[test]
    fn scales_end_at_round_numbers() {
        for (value, expected) in [
            (0, 2),
            (3, 4),
            (5, 10),
            (11, 20),
            (999, 1_000),
            (1_001, 2_000),
        ] {
            assert_eq!(ceiling(value), expected);
        }
        assert_eq!(decades([950, 1_500_000].into_iter()), (2, 7));
        assert_eq!(decades([0, u64::MAX].into_iter()), (11, 20));
        assert_eq!(
            [2_000, 20_000, 4_000_000].map(count),
            ["2,000", "20k", "4M"]
        );
    }
}
