//! What templates render, and how their faults are told.

use super::*;
use crate::payload::{View, render};
use crate::webhook_out_sub::Version;

#[test]
fn what_is_printed_is_json() {
    for (expression, expected) in [
        ("order.order_notes", "\"This is a test.\""),
        ("order.address.latitude", "39.7392"),
        ("order.property_access.vacant", "true"),
        ("order.services[0].group_slug", "\"photos\""),
        ("order.services|map(attribute=\"quantity\")|list", "[25]"),
        (
            "order.links",
            "{\"tour_link\":\"https://example.com/tour\"}",
        ),
        ("order.metadata|tojson", "{\"note\":\"This is a test.\"}"),
        ("order.id", "0"),
        ("order.external_order_id", "\"SAMPLE-ORDER\""),
        ("order.status", "\"scheduled\""),
        ("order.created_at", "\"2026-01-31T12:30:00.25Z\""),
        (
            "[stage, event, sequence]",
            "[\"scheduled\",\"appointment.scheduled\",1]",
        ),
        ("[order_stage_id, integration_id]", "[0,3]"),
        (
            "[stage_at, accepted_at]",
            "[\"2026-01-31T12:30:00.25Z\",\"2026-01-31T12:30:00.25Z\"]",
        ),
        ("\"a\\\"b\\n<&>é\"", "\"a\\\"b\\n<&>é\""),
        ("[\"Hi \", order.client.first_name]|join", "\"Hi Sam\""),
        ("{\"z\": 1, \"a\": none}", "{\"z\":1,\"a\":null}"),
        ("1.5", "1.5"),
    ] {
        assert_eq!(value(expression), expected, "{expression}");
    }
}

#[test]
fn what_is_not_known_is_null() {
    for expression in [
        "order.client.nick.name",
        "order.services[7].quantity",
        "order.metadata.a.b.c",
        "nobody",
        "order.property_access.access_code",
        "event if false",
    ] {
        assert_eq!(value(expression), "null", "{expression}");
    }
    let fields = OrderFields::default();
    let sample = order();
    let facts = StageFacts {
        fields: &fields,
        event_slug: None,
        ..sample.facts()
    };
    let template = "{\"a\":{{ order.client }},\"b\":{{ event }},\"c\":{{ order.address.city }}}";
    let payload = Template::compile(template)
        .expect("a template")
        .render(&facts);
    let payload = payload.expect("a payload");
    assert_eq!(payload, b"{\"a\":null,\"b\":null,\"c\":null}");
}

#[test]
fn the_built_in_views_can_be_built_upon() {
    let sample = order();
    for view in [View::OrderV2, View::OrderV3, View::Thin] {
        let own = rendered(&format!("{{{{ {} }}}}", view.name())).expect("a payload");
        let own: serde_json::Value = serde_json::from_str(&own).expect("JSON");
        let built_in = render(view, Version::V3, &sample.facts());
        let built_in: serde_json::Value = serde_json::from_slice(&built_in).expect("JSON");
        assert_eq!(own, built_in);
    }
    assert_eq!(value("dict(thin, source=\"acme\").source"), "\"acme\"");
}

#[test]
fn a_payload_is_an_object_without_white_space_around_it() {
    assert_eq!(rendered(" \n{}\n\n"), Ok("{}".to_owned()));
    assert_eq!(
        rendered("{% set x = 1 %} {\"x\": {{ x }}}"),
        Ok("{\"x\": 1}".to_owned())
    );
    for text in ["[]", "{{ order.id }}", "null", "\"{}\""] {
        assert_eq!(fault(text), "what it renders is no JSON object", "{text}");
    }
    for text in [
        "",
        "{",
        "{\"a\":}",
        "{} {}",
        "{\"a\": 1,}",
        "{\"a\": \"{{ stage }}\"}",
    ] {
        let fault = fault(text);
        assert!(
            fault.starts_with("what it renders is no JSON: "),
            "{text}: {fault}"
        );
    }
}

#[test]
fn faults_name_the_line() {
    for (text, expected) in [
        ("{\n\"a\": {{ order. }}}", "line 2: syntax error: "),
        ("{\n\n{% if %}", "line 3: syntax error: "),
        ("\n{{ 1|nothing }}", "line 2: unknown filter: "),
        ("\n\n{{ order.id + \"a\" }}", "line 3: invalid operation: "),
        ("{% include \"x\" %}", "line 1: syntax error: "),
        (
            "{{ debug() }}",
            "line 1: can call nothing but dict() and range()",
        ),
        (
            "\n{{ namespace() }}",
            "line 2: can call nothing but dict() and range()",
        ),
        ("{{ stage ~ event }}", "line 1: cannot join texts with `~`"),
    ] {
        let fault = fault(text);
        assert!(fault.starts_with(expected), "{text}: {fault}");
    }
}

#[test]
fn a_misspelt_name_is_refused_when_a_template_is_saved() {
    for (text, expected) in [
        (
            "{{ {\"a\": ordr.id} }}",
            "there is no `ordr`; did you mean `order`?",
        ),
        (
            "{{ {\"a\": order.order_note} }}",
            "`order`: there is no `order_note`; did you mean `order_notes`?",
        ),
        (
            "{{ {\"a\": xyz} }}",
            "there is no `xyz`; there are order, stage, event, ",
        ),
        (
            "{\"a\": {{ event }}",
            "does not render a sample order: what it renders is no JSON: ",
        ),
        (
            "{\"a\": \"{{ event|safe }}\", \"b\": {{ event|length }}}",
            "does not render a sample order without an event: ",
        ),
        (
            "{\"a\": {{ order.order_notes|length }}}",
            "does not render an order of which nothing is known: ",
        ),
    ] {
        let fault = text.parse::<TemplateText>().expect_err(text).message;
        assert!(fault.starts_with(expected), "{text}: {fault}");
    }
    for text in [
        "{{ {\"a\": order.metadata.anything} }}",
        "{% for s in order.services %}{% set x = s.y %}{% endfor %}{}",
        "{\"a\": {{ range(3)|list }}, \"b\": {{ order_v3 }}}",
    ] {
        assert_eq!(
            text.parse::<TemplateText>().map(|text| text.0),
            Ok(text.to_owned())
        );
    }
}

#[test]
fn the_example_of_the_docs_renders() {
    let docs = include_str!("../../../../../../docs/views.md");
    let lines = docs.lines().filter_map(|line| line.strip_prefix("    "));
    let example: Vec<&str> = lines.collect();
    let example = example.join("\n");
    assert!(example.parse::<TemplateText>().is_ok());
    let payload = rendered(&example).expect("a payload");
    let payload: serde_json::Value = serde_json::from_str(&payload).expect("JSON");
    assert_eq!(payload["who"], "Sam Sample");
    assert_eq!(
        payload["shoots"],
        serde_json::json!(["2026-01-31T16:00:00Z"])
    );
}
