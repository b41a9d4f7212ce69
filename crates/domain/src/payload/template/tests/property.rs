//! Random templates: whatever they hold, they render an object within the limits, or are told why not.

use proptest::prelude::*;

use super::*;

/// Pieces that templates are made of.
const PIECES: [&str; 30] = [
    "{{ order.services|map(attribute=\"quantity\")|list }}",
    "{% for a in order.services %}",
    "{% for a in range(999) %}",
    "{% endfor %}",
    "{% if event %}",
    "{% else %}",
    "{% endif %}",
    "{% set x = [x, x] %}",
    "{% set x %}",
    "{% endset %}",
    "{% macro m(x) %}",
    "{% endmacro %}",
    "{{ m(x) }}",
    "{% raw %}",
    "{% endraw %}",
    "{{ x }}",
    "{{ x|tojson }}",
    "{{ a.b[\"c\"] }}",
    "{{ \"x\" * 9999 }}",
    "{{ order|string }}",
    "{{ 1 // 0 }}",
    "{{ x[9:-1:2] }}",
    "{{",
    "}}",
    "{\"a\": ",
    "}",
    ",",
    "[",
    "]",
    "\u{1F600}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_template_passes_a_limit(picks in proptest::collection::vec(0..PIECES.len(), 0..40), noise in "\\PC{0,20}") {
        let body: String = picks.iter().map(|pick| PIECES[*pick]).collect();
        for text in [format!("{body}{noise}"), format!("{{\"a\": 1}}{{% if false %}}{body}{{% endif %}}"), format!("{{{{ {noise} }}}}")] {
            match rendered(&text) {
                Ok(payload) => {
                    let is_object = payload.starts_with('{');
                    prop_assert!(is_object && payload.len() <= PAYLOAD_BYTES_MAX);
                }
                Err(fault) => {
                    prop_assert!(!fault.message.contains("crashed"), "{text}: {fault}");
                    prop_assert!(fault.message.chars().count() <= 2 * MESSAGE_CHARS_MAX);
                }
            }
        }
    }
}
