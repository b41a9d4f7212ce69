//! What rendering a payload costs, in each built-in view and in a template of one's own: the sample order with all its
//! fields. `cargo bench -p domain --bench payloads` times the cases, `scripts/instructions` counts their instructions.
#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot prepare its case has nothing to measure"
)]

use std::hint::black_box;
use std::io;

use cases::{Case, Run, run};
use divan::Bencher;
use domain::id::IntegrationId;
use domain::payload::template::Template;
use domain::payload::{Sample, View, render, sample};
use domain::time::Moment;
use domain::webhook_out_sub::Version;

const CASES: &[Case] = &[
    Case {
        name: "view_order_v2",
        prepare: || view(View::OrderV2, Version::V2),
    },
    Case {
        name: "view_order_v3",
        prepare: || view(View::OrderV3, Version::V3),
    },
    Case {
        name: "view_thin",
        prepare: || view(View::Thin, Version::V3),
    },
    Case {
        name: "own_template",
        prepare: own_template,
    },
    Case {
        name: "own_template_compiled",
        prepare: || run(|| Template::compile(black_box(TEMPLATE))),
    },
];

/// A few facts, a condition and a loop, as people write them.
const TEMPLATE: &str = r#"{
  "id": {{ order_id }},
  "reference": {{ external_order_id }},
  "status": {{ stage }},
  "at": {{ stage_at }},
  {% if event %}"event": {{ event }},{% endif %}
  "city": {{ order.address.city }},
  "client": {{ order.client.email }},
  "notes": {{ order.order_notes }},
  "services": [{% for service in order.services %}{{ service.group_slug }}{% if not loop.last %},{% endif %}{% endfor %}]
}"#;

fn main() -> io::Result<()> {
    cases::main(CASES)
}

#[divan::bench(args = CASES)]
fn payloads(bencher: Bencher<'_, '_>, case: &Case) {
    case.time(bencher);
}

/// An order with all its fields, changed at 2026-01-31T16:20:00.25Z.
fn order() -> Sample {
    sample(
        IntegrationId(7),
        Moment::from_microseconds(1_769_876_400_250_000),
    )
}

fn view(view: View, version: Version) -> Run {
    let order = order();
    run(move || render(view, version, black_box(&order.facts())))
}

fn own_template() -> Run {
    let template = Template::compile(TEMPLATE).expect("a template");
    let order = order();
    template.render(&order.facts()).expect("a payload");
    run(move || template.render(black_box(&order.facts())))
}
