//! How a subscription is: at a glance, and in plain words with what to do.

use maud::{Markup, html};
use serde_json::Value;

use crate::text::{is, moment, text};
use crate::visit::Visit;

/// How a subscription is, the worst of it first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Condition {
    /// Switched off by hand.
    Inactive,
    /// Switched off since the receiver answered 410.
    Gone,
    /// Switched off since nothing was delivered for days.
    FailedForDays,
    /// Only its oldest job is sent, to see whether the receiver is back.
    Resting,
    /// The receiver asked to be left alone for a while.
    Paused,
    /// It sends, and nothing has succeeded since a failure.
    Failing,
    /// Switched on again after it was off; nothing has succeeded since.
    Recovering,
    /// What it missed is being made.
    CatchingUp,
    /// It sends.
    Healthy,
}

/// The moment as the API writes moments, to compare with them.
pub(crate) fn now(visit: &Visit) -> String {
    let now = serde_json::to_value(visit.client.dashboard.app.now());
    let now = now.unwrap_or_default();
    now.as_str().unwrap_or_default().to_owned()
}

/// See the module. `now` is a moment as the API writes it.
pub(crate) fn condition(sub: &Value, now: &str) -> Condition {
    let health = &sub["health"];
    match (text(health, "state"), text(health, "reason")) {
        // For a reason of its own: then it is not active either.
        ("off", "gone") => Condition::Gone,
        ("off", "failing_for_days") => Condition::FailedForDays,
        _ if !is(sub, "active") => Condition::Inactive,
        ("resting", _) => Condition::Resting,
        _ if text(&health["pause"], "until") > now => Condition::Paused,
        _ if is(health, "recovering") => Condition::Recovering,
        _ if !text(health, "failing_since").is_empty() => Condition::Failing,
        _ if is(sub, "catching_up") => Condition::CatchingUp,
        _ => Condition::Healthy,
    }
}

/// Since when it is not well, as far as that is known; empty where it is.
pub(crate) fn trouble_since(sub: &Value) -> &str {
    let health = &sub["health"];
    match text(health, "failing_since") {
        "" => text(health, "since"),
        since => since,
    }
}

impl Condition {
    /// Whether nothing is sent until somebody switches it on.
    pub(crate) fn is_off(self) -> bool {
        matches!(
            self,
            Condition::Inactive | Condition::Gone | Condition::FailedForDays
        )
    }

    /// Whether somebody should look at it: it is not well, and nobody has switched it off.
    pub(crate) fn needs_attention(self) -> bool {
        !matches!(
            self,
            Condition::Inactive | Condition::CatchingUp | Condition::Healthy
        )
    }

    pub(crate) fn badge(self) -> Markup {
        let (class, word) = match self {
            Condition::Inactive => ("quiet", "inactive"),
            Condition::Gone | Condition::FailedForDays => ("failed", "off"),
            Condition::Resting => ("refused", "resting"),
            Condition::Paused => ("refused", "paused"),
            Condition::Failing => ("refused", "failing"),
            Condition::Recovering => ("busy", "recovering"),
            Condition::CatchingUp => ("busy", "catching up"),
            Condition::Healthy => ("good", "healthy"),
        };
        html! { span class={ "state " (class) } { (word) } }
    }

    /// What that means.
    pub(crate) fn words(self, sub: &Value) -> Markup {
        let health = &sub["health"];
        let since = || moment(text(health, "since"));
        let failing_since = || moment(text(health, "failing_since"));
        match self {
            Condition::Inactive => html! {
                "It was switched off by hand. Changes of orders make no jobs for it, and the jobs that wait are held."
            },
            Condition::Gone => html! {
                "Postrider switched it off " (since()) ": the receiver answered 410 Gone, which says that it wants nothing more."
            },
            Condition::FailedForDays => html! {
                "Postrider switched it off " (since()) ": deliveries began to fail " (failing_since()) ", and none has succeeded since."
            },
            Condition::Resting => html! {
                "It began to rest " (since()) ", because deliveries failed one after the other. Only its oldest job is sent, when that is \
                 due, to see whether the receiver is back; the first success lets all others follow. No job is given up meanwhile."
            },
            Condition::Paused => html! {
                "The receiver asked to be left alone until " (moment(text(&health["pause"], "until"))) ". Jobs wait until then."
            },
            Condition::Failing => html! {
                "It sends, but deliveries began to fail " (failing_since()) ", and none has succeeded since. Failed jobs are sent again by themselves."
            },
            Condition::Recovering => {
                html! { "It was switched on again; nothing has succeeded since then." }
            }
            Condition::CatchingUp => html! {
                "It is well. The jobs that it missed are being made; those of new changes follow in their turn."
            },
            Condition::Healthy => {
                html! { "It is well: jobs are sent as they come, and nothing is failing." }
            }
        }
    }

    /// What somebody can do about it.
    pub(crate) fn advice(self) -> Option<&'static str> {
        match self {
            Condition::Inactive => Some(
                "Switch it on when it is wanted again. Changes from the time in which it was off are made up for if you say since when.",
            ),
            Condition::Gone => Some(
                "Ask the people of the receiver whether it has moved. Correct the callback URL, send a test, and switch the \
                 subscription on; or delete it if it is not wanted any more.",
            ),
            Condition::FailedForDays => Some(
                "See below why the last attempts failed, and have it mended, here or at the receiver. Send a test, then switch the \
                 subscription on; say since when, so that it gets what it missed.",
            ),
            Condition::Resting => Some(
                "See below why the last attempts failed, and have it mended, here or at the receiver. Then send the oldest of the \
                 failing jobs now, so that you need not wait for its next attempt.",
            ),
            Condition::Failing => Some(
                "See below why. If it goes on, the subscription rests, and after days of it is switched off.",
            ),
            Condition::Paused
            | Condition::Recovering
            | Condition::CatchingUp
            | Condition::Healthy => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOW: &str = "2026-01-31T12:00:00.000000Z";

    #[test]
    fn the_worst_counts() {
        let cases = [
            (json!({ "state": "healthy" }), Condition::Healthy),
            (json!({ "state": "off", "reason": "gone" }), Condition::Gone),
            (
                json!({ "state": "off", "reason": "failing_for_days" }),
                Condition::FailedForDays,
            ),
            (
                json!({ "state": "resting", "failing_since": NOW }),
                Condition::Resting,
            ),
            (
                json!({ "state": "healthy", "failing_since": NOW }),
                Condition::Failing,
            ),
            (
                json!({ "state": "healthy", "recovering": true, "failing_since": NOW }),
                Condition::Recovering,
            ),
            (
                json!({ "state": "healthy", "pause": { "until": "2026-01-31T12:00:01.000000Z" } }),
                Condition::Paused,
            ),
            (
                json!({ "state": "healthy", "pause": { "until": "2026-01-31T11:59:59.000000Z" } }),
                Condition::Healthy,
            ),
        ];
        for (health, expected) in cases {
            let mut sub = json!({ "active": true, "health": health });
            assert_eq!(condition(&sub, NOW), expected, "{sub}");
            sub["active"] = json!(false);
            let by_itself = [Condition::Gone, Condition::FailedForDays].contains(&expected);
            let off = if by_itself {
                expected
            } else {
                Condition::Inactive
            };
            assert_eq!(condition(&sub, NOW), off, "{sub}");
        }
    }
}
