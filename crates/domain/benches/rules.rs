//! What the rules cost: who wants a change, what an answer means, what follows a failure, and signing.
//! `cargo bench -p domain --bench rules` times the cases, `scripts/instructions` counts their instructions.
#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot prepare its case has nothing to measure"
)]

use std::hint::black_box;
use std::io;
use std::time::Duration;

use cases::{Case, Run, run};
use divan::Bencher;
use domain::health::LaneHealth;
use domain::id::{IntegrationId, OrderId};
use domain::matching::Triggers;
use domain::payload::sample;
use domain::payload::template::filter::Filter;
use domain::retry::RetryPolicy;
use domain::signature::{SigningSecret, SigningSecrets, sign};
use domain::signing_key::{SEED_BYTES, SigningKey, SigningKeys};
use domain::success_code::SuccessCode;
use domain::time::Moment;
use domain::verdict::judge;
use domain::webhook_job::AttemptOutcome;

const CASES: &[Case] = &[
    Case {
        name: "match_10_subscribers",
        prepare: || matching(10),
    },
    Case {
        name: "match_1000_subscribers",
        prepare: || matching(1_000),
    },
    Case {
        name: "filter",
        prepare: filter,
    },
    Case {
        name: "verdict_of_each_status",
        prepare: verdict,
    },
    Case {
        name: "retry_next_step",
        prepare: retry,
    },
    Case {
        name: "health_until_rest_and_back",
        prepare: health,
    },
    Case {
        name: "sign_v1",
        prepare: || signing(SigningKeys::default()),
    },
    Case {
        name: "sign_v1_and_v1a",
        prepare: || signing(key()),
    },
];

/// 2026-01-31T16:20:00Z.
const NOW: Moment = Moment::from_microseconds(1_769_876_400_000_000);
/// Length of the body that is signed: a payload of most fields.
const BODY_BYTES: usize = 1_024;

fn main() -> io::Result<()> {
    cases::main(CASES)
}

#[divan::bench(args = CASES)]
fn rules(bencher: Bencher<'_, '_>, case: &Case) {
    case.time(bencher);
}

/// Subscribers of a few words each, one in ten of whom wants the change.
fn matching(subscribers: usize) -> Run {
    let owned = |words: [&str; 3]| words.map(str::to_owned);
    let subscribers: Vec<Triggers> = (0..subscribers)
        .map(|number| match number % 10 {
            0 => Triggers::new(&owned(["ordered", "scheduled", "completed"]), &[]),
            1..=4 => Triggers::new(&owned(["hold", "canceled", "completed"]), &[]),
            _ => Triggers::new(
                &[],
                &owned(["order.processed", "order.delivered", "appointment.canceled"]),
            ),
        })
        .collect();
    run(move || {
        let (stage, event) = black_box(("scheduled", "appointment.scheduled"));
        let wanting = subscribers
            .iter()
            .filter(|triggers| triggers.matches(Some(stage), Some(event)).is_match());
        wanting.count()
    })
}

fn filter() -> Run {
    let filter = Filter::compile("order.address.state == 'CO' and order.property.bedrooms > 2");
    let filter = filter.expect("a filter");
    let sample = sample(IntegrationId(7), NOW);
    run(move || filter.passes(&sample.facts()))
}

fn verdict() -> Run {
    let success = SuccessCode::default();
    run(move || {
        let delivered = (100..=599).filter(|status| {
            judge(black_box(Some(*status)), &success) == AttemptOutcome::Delivered
        });
        delivered.count()
    })
}

fn retry() -> Run {
    let policy = RetryPolicy::default();
    let age = Duration::from_secs(3_600);
    run(move || black_box(&policy).next(black_box(4), NOW, age, None, black_box(0.25)))
}

/// A lane that fails until it rests, and recovers.
fn health() -> Run {
    run(|| {
        let mut health = LaneHealth::default();
        for order in 0..5 {
            let order = Some(OrderId(order));
            health.failed(black_box(AttemptOutcome::EndpointFault), order, NOW);
        }
        health.succeeded(NOW)
    })
}

fn key() -> SigningKeys {
    SigningKeys {
        current: Some(SigningKey::from_seed([7; SEED_BYTES])),
        previous: None,
    }
}

fn signing(keys: SigningKeys) -> Run {
    let secrets = SigningSecrets {
        current: SigningSecret::from_bytes(&[7; 32]).expect("a secret"),
        previous: None,
        keys,
    };
    let body = [b'x'; BODY_BYTES];
    run(move || {
        sign(
            &secrets,
            NOW,
            "msg_019bfa5e8a5a7000a000000000000000",
            black_box(&body),
        )
    })
}
