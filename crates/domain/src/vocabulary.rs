//! The words that the lists `order_status` and `order_event` start with.

/// Among the statuses or events of a subscription: all of them.
pub const ALL: &str = "*";

/// A word of a list: its slug, its name for people, and what it means.
pub type Word = (&'static str, &'static str, &'static str);

/// Order statuses.
pub const ORDER_STATUS: &[Word] = &[
    (
        "assembly",
        "Assembly",
        "Photos and videos are being put together.",
    ),
    (
        "canceled",
        "Canceled",
        "The order was called off; the same as cancelled.",
    ),
    ("cancelled", "Cancelled", "The order was called off."),
    (
        "committed",
        "Committed",
        "An appointment time is firmly agreed.",
    ),
    (
        "completed",
        "Completed",
        "The work is done and the bill is sent.",
    ),
    ("hold", "Hold", "The order rests for now."),
    ("new_request", "New request", "The order was just made."),
    (
        "notified",
        "Notified",
        "The results passed quality control and the client was told.",
    ),
    ("on_site", "On site", "Somebody is at the property."),
    (
        "ordered",
        "Ordered",
        "The request was taken on and processed.",
    ),
    (
        "order_processing",
        "Order processing",
        "The request is being processed.",
    ),
    (
        "pending_appointment",
        "Pending appointment",
        "An appointment is being arranged.",
    ),
    (
        "pending_reschedule",
        "Pending reschedule",
        "A new appointment is being arranged.",
    ),
    (
        "post_processing",
        "Post-processing",
        "The material is being worked on.",
    ),
    (
        "ready_to_schedule",
        "Ready to schedule",
        "Routes are being planned before an appointment is set.",
    ),
    ("scheduled", "Scheduled", "An appointment is set."),
    (
        "scheduling",
        "Scheduling",
        "An appointment is being looked for.",
    ),
    ("submitted", "Submitted", "The order was handed in."),
    (
        "submitted_cancel_onsite",
        "Submitted, cancelled on site",
        "The order was called off while somebody was at the property.",
    ),
    ("unscheduled", "Unscheduled", "There is no appointment."),
];

/// Order events, as `<object>.<type>`.
pub const ORDER_EVENT: &[Word] = &[
    (
        "appointment.awaiting_availability",
        "Awaiting availability",
        "The property is hard to get into; times are being looked for.",
    ),
    (
        "appointment.awaiting_reschedule",
        "Awaiting reschedule",
        "A new appointment is being arranged.",
    ),
    (
        "appointment.awaiting_scheduling",
        "Awaiting scheduling",
        "The appointment has yet to be made.",
    ),
    (
        "appointment.scheduled",
        "Appointment scheduled",
        "An appointment is made; its time is in the payload.",
    ),
    (
        "appointment.unable_to_complete",
        "Unable to complete",
        "The visit failed, since the property was not ready.",
    ),
    (
        "appointment.window_selected",
        "Window selected",
        "A range of times was chosen.",
    ),
    (
        "order.canceled",
        "Order canceled",
        "The order was called off on the provider's side.",
    ),
    (
        "order.delivered",
        "Order delivered",
        "The results are there; their links are in the payload.",
    ),
    (
        "order.post_processing",
        "Order in post-processing",
        "The production team works on the material.",
    ),
    (
        "order.processed",
        "Order processed",
        "The request was processed.",
    ),
    ("order.received", "Order received", "The request came in."),
    (
        "order.submitted",
        "Order submitted",
        "The order was handed in.",
    ),
    (
        "job.exhausted",
        "Job exhausted",
        "Postrider gave up a job of the integration. Only who lists it by name is told.",
    ),
    (
        "subscription.failing",
        "Subscription failing",
        "The receiver of a subscription keeps failing. Only who lists it by name is told.",
    ),
    (
        "subscription.off",
        "Subscription off",
        "Postrider switched a subscription off. Only who lists it by name is told.",
    ),
    (
        "subscription.recovered",
        "Subscription recovered",
        "The receiver of a subscription works again. Only who lists it by name is told.",
    ),
];

/// What Postrider itself tells of its work, among the order events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OperationalEvent {
    /// A job was given up.
    JobExhausted,
    /// A lane rests, since its receiver keeps failing.
    SubscriptionFailing,
    /// A lane is off.
    SubscriptionOff,
    /// A lane works again after a trouble.
    SubscriptionRecovered,
}

impl OperationalEvent {
    /// All of them.
    pub const ALL: [OperationalEvent; 4] = [
        OperationalEvent::JobExhausted,
        OperationalEvent::SubscriptionFailing,
        OperationalEvent::SubscriptionOff,
        OperationalEvent::SubscriptionRecovered,
    ];

    /// The slug, as the list `order_event` has it.
    pub const fn slug(self) -> &'static str {
        match self {
            OperationalEvent::JobExhausted => "job.exhausted",
            OperationalEvent::SubscriptionFailing => "subscription.failing",
            OperationalEvent::SubscriptionOff => "subscription.off",
            OperationalEvent::SubscriptionRecovered => "subscription.recovered",
        }
    }
}

/// Whether an event is told by Postrider alone, and cannot be reported.
pub fn is_operational(slug: &str) -> bool {
    OperationalEvent::ALL
        .into_iter()
        .any(|event| event.slug() == slug)
}

/// Whether two slugs mean the same status: both spellings of a cancelled order do.
pub fn is_same_status(a: &str, b: &str) -> bool {
    a == b || (is_cancelled(a) && is_cancelled(b))
}

fn is_cancelled(slug: &str) -> bool {
    matches!(slug, "canceled" | "cancelled")
}

/// The words of a list, each once, in the order in which they first stand.
pub fn folded(words: Vec<String>) -> Vec<String> {
    let mut folded: Vec<String> = Vec::with_capacity(words.len());
    for word in words {
        if !folded.contains(&word) {
            folded.push(word);
        }
    }
    folded
}

/// The type of an event: what stands after the dot, or all of it.
pub fn event_type(slug: &str) -> &str {
    slug.split_once('.').map_or(slug, |(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn each_word_stands_once_with_a_name_and_a_meaning() {
        for (list, length) in [(ORDER_STATUS, 20), (ORDER_EVENT, 16)] {
            let slugs: HashSet<&str> = list.iter().map(|word| word.0).collect();
            assert_eq!(slugs.len(), length);
            for (slug, name, meaning) in list {
                assert!(!name.is_empty() && meaning.ends_with('.'), "{slug}");
            }
        }
    }

    #[test]
    fn operational_events_are_words_of_the_list() {
        for event in OperationalEvent::ALL {
            assert!(ORDER_EVENT.iter().any(|word| word.0 == event.slug()));
            assert!(is_operational(event.slug()));
        }
        assert!(!is_operational("order.submitted"));
    }

    #[test]
    fn event_types_are_what_filters_know() {
        let mut types: Vec<&str> = ORDER_EVENT.iter().map(|word| event_type(word.0)).collect();
        types.sort_unstable();
        assert_eq!(
            types,
            [
                "awaiting_availability",
                "awaiting_reschedule",
                "awaiting_scheduling",
                "canceled",
                "delivered",
                "exhausted",
                "failing",
                "off",
                "post_processing",
                "processed",
                "received",
                "recovered",
                "scheduled",
                "submitted",
                "unable_to_complete",
                "window_selected",
            ]
        );
        assert_eq!(event_type("plain"), "plain");
        assert_eq!(event_type("a.b.c"), "b.c");
    }

    #[test]
    fn repeated_words_are_folded_into_their_first_place() {
        let owned = |words: &[&str]| {
            words
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>()
        };
        let cases = [
            (vec![], vec![]),
            (vec!["a", "b"], vec!["a", "b"]),
            (vec!["b", "a", "b", "a", "c"], vec!["b", "a", "c"]),
        ];
        for (words, expected) in cases {
            assert_eq!(folded(owned(&words)), owned(&expected));
        }
    }

    #[test]
    fn only_the_two_spellings_are_the_same() {
        assert!(is_same_status("canceled", "cancelled"));
        assert!(is_same_status("hold", "hold"));
        assert!(!is_same_status("canceled", "hold"));
        assert!(!is_same_status("hold", "cancelled"));
    }
}
