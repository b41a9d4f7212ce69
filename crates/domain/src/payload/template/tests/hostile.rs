//! Templates that want to do harm: they end with a fault, and soon.

use super::*;

/// Templates that make a value of two equal halves, so often that no memory could hold its text: as anybody
/// would, and by ways that are not refused at sight.
fn doubled() -> Vec<String> {
    [
        "{% set x = [x, x] %}",
        "{% set x = [x, x]|list %}",
        "{% set x = dict(a=x, b=x) %}",
        "{% set x = [x]|chain([x]) %}",
        "{% set x = x|default([x, x])|list %}",
        "{% set x = (x + x) %}",
        "{% set x = [x, x]|join %}",
        "{% set x = [x, x]|batch(1)|list %}",
        "{% set x = [x, x]|zip([x, x])|list %}",
        "{% with x = [x, x]|list %}{% endwith %}",
    ]
    .map(|halving| format!("{{% set x = [1, 2] %}}{}", halving.repeat(60)))
    .into()
}

#[test]
fn endless_and_huge_work_is_stopped() {
    let many = "{% for a in range(9999) %}";
    let ends = "{% endfor %}";
    for text in [
        format!("{many}{many}{many}{ends}{ends}{ends}{{}}"),
        format!("{many}{{{{ a }}}}{many}{{{{ order_v3 }}}}{ends}{ends}"),
        "{{ range(100000000) }}".to_owned(),
        "{{ range(99999)|list|tojson }}".to_owned(),
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}".to_owned(),
        "{% macro m(n) %}{{ m(n) }}{{ m(n) }}{% endmacro %}{{ m(1) }}".to_owned(),
        "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}".to_owned(),
        "{{ \"x\" * 999999999 }}".to_owned(),
        "{{ (\"x\" * 200000) * 200000 }}".to_owned(),
        "{% set a = \"x\" * 300000 %}{\"a\": {{ a }}}".to_owned(),
        "{{ range(99999)|join(\"x\" * 99999) }}".to_owned(),
        "{{ \"%999999999d\"|format(1) }}".to_owned(),
        "{{ \"%.999999999f\"|format(1.0) }}".to_owned(),
        "{{ \"x\"|indent(999999999, true) }}".to_owned(),
        "{{ (\"x\" * 99999)|replace(\"\", \"y\" * 99999) }}".to_owned(),
        "{{ range(9999)|batch(1)|map(\"list\")|list|sort|unique|tojson(999999) }}".to_owned(),
        "{{ [1]|slice(999999999)|list }}".to_owned(),
        "{{ ([1] * 99999999)|list }}".to_owned(),
        "{% set x %}{% for a in range(9999) %}{{ order_v3 }}{% endfor %}{% endset %}{}".to_owned(),
        "{{ 2 ** 999999999 }}".to_owned(),
        "{}".to_owned() + &" ".repeat(PAYLOAD_BYTES_MAX),
        "{".repeat(2_000),
        format!("{{{{ {}1{} }}}}", "(".repeat(30_000), ")".repeat(30_000)),
        format!("{{{{ {}1 }}}}", "-".repeat(60_000)),
        format!("{{{{ 1{} }}}}", "+1".repeat(30_000)),
        format!("{{{{ x{} }}}}", ".a".repeat(30_000)),
        format!("{{{{ 1{} }}}}", "|abs".repeat(15_000)),
        "{% if true %}".repeat(5_000),
    ] {
        let fault = fault(&text);
        assert!(
            !fault.contains("crashed"),
            "{}: {fault}",
            &text[..text.len().min(60)]
        );
    }
}

#[test]
fn a_chain_of_expressions_is_as_long_as_people_write_and_no_longer() {
    for (start, link) in [
        ("order.id", "+1"),
        ("stage", "|upper"),
        ("order", ".a"),
        ("1", " and 1"),
    ] {
        let chain = |links: usize| format!("{{\"a\": {{{{ {start}{} }}}}}}", link.repeat(links));
        let compiled = Template::compile(&chain(190)).map(|_| ());
        assert_eq!(compiled, Ok(()), "{link}");
        for links in [210, 10_000] {
            let fault = fault(&chain(links));
            assert!(fault.contains("is too long a chain"), "{link}: {fault}");
        }
    }
}

#[test]
fn a_template_may_be_as_long_as_it_may_and_no_longer() {
    let longest = format!("{{}}{}", " ".repeat(TEMPLATE_BYTES_MAX - 2));
    assert_eq!(rendered(&longest), Ok("{}".to_owned()));
    assert_eq!(fault(&format!("{longest} ")), "has more than 65536 bytes");
    assert_eq!(fault(&"x".repeat(1024 * 1024)), "has more than 65536 bytes");
}

#[test]
fn output_is_stopped_at_its_limit() {
    let text = |bytes: usize| format!("{{\"a\": {{{{ \"x\" * {bytes} }}}}}}");
    let around = "{\"a\": \"\"}".len();
    let most = rendered(&text(PAYLOAD_BYTES_MAX - around)).expect("a payload");
    assert_eq!(most.len(), PAYLOAD_BYTES_MAX);
    let fault = fault(&text(PAYLOAD_BYTES_MAX - around + 1));
    assert_eq!(fault, "renders more than 262144 bytes");
}

#[test]
fn a_small_value_that_stands_for_a_huge_one_does_no_harm() {
    for end in [
        "{{ x }}",
        "{{ x|tojson }}",
        "{{ {x: 1} }}",
        "{{ {\"a\": {x: 1}} }}",
        "{{ x in \"text\" }}",
        "{{ \"text\" in x }}",
        "{{ x == x }}",
        "{{ x * 99999 }}",
        "{{ x[x] }}",
        "{{ x[0:9] }}",
        "{% for a in x %}{{ loop.changed(x) }}{% endfor %}",
        "{{ x|string }}",
        "{{ x ~ x }}",
        "{{ x|join }}",
        "{{ [x]|join(\",\") }}",
        "{{ \"%s\"|format(x) }}",
        "{{ x|pprint }}",
        "{{ x == [x] }}",
        "{{ {\"a\": x == (x|reverse|list)} }}",
        "{{ x|sort }}",
        "{{ x|unique|list }}",
        "{{ [x, x]|max }}",
        "{{ x in [x] }}",
        "{{ x|sum }}",
        "{{ x|groupby(0) }}",
        "{{ [x,x]|sort|tojson }}",
        "{{ x|escape }}",
        "{{ x|upper }}",
        "{{ x|replace(1, 2) }}",
        "{{ x|length }}",
        "{{ dict(a=x)|dictsort(by=\"value\") }}",
        "{{ dict(a=x)|items|list }}",
        "{% autoescape false %}{{ x }}{% endautoescape %}",
        "{% autoescape \"html\" %}{{ x }}{% endautoescape %}",
        "{% set y %}{{ x }}{% endset %}{{ y }}",
        "{% filter upper %}{{ x }}{% endfilter %}",
        "{{ x.nothing.at.all }}",
        "{{ x|select(\"eq\", x)|list }}",
        "{{ x is eq(x|reverse|list) }}",
        "{{ x < (x|reverse|list) }}",
        "{{ x|first == x|last }}",
        "{{ x|list|string|length }}",
        "{{ x()|int }}",
        "{{ nothing[x] }}",
        "{{ {1: 2}[x] }}",
        "{{ (x|map(\"string\"))|list }}",
    ] {
        for doubled in doubled() {
            let text = format!("{doubled}{end}");
            // Whether it renders is no matter: it ends.
            if let Err(fault) = rendered(&text) {
                assert!(!fault.message.contains("crashed"), "{end}: {fault}");
            }
        }
    }
}

#[test]
fn deep_values_are_made_and_freed() {
    let deep = "{% set x = [x] %}".repeat(3_500);
    let lazy = "{% set x = x|reverse|map(\"int\") %}".repeat(300);
    let wrapped = "{% set x = {\"a\": x} %}".repeat(2_500);
    let chained = "{% set x = x|chain([1]) %}".repeat(300);
    let added = "{% set x = x + [1] %}".repeat(3_000);
    for (name, nest) in [
        ("deep", deep),
        ("lazy", lazy),
        ("wrapped", wrapped),
        ("chained", chained),
        ("added", added),
    ] {
        for end in [
            "{}",
            "{{ {\"a\": x} }}",
            "{{ x|tojson }}",
            "{{ x|string }}",
            "{{ x == [x] }}",
            "{{ [x, x]|sort }}",
            "{{ x|length }}",
        ] {
            let text = format!("{{% set x = [] %}}{nest}{end}");
            if let Err(fault) = rendered(&text) {
                assert!(!fault.message.contains("crashed"), "{name} {end}: {fault}");
            }
        }
    }
}

#[test]
fn the_access_code_never_leaves() {
    let fields = r#"{"property_access":{"access_code":"1234","\u0061ccess_code":"5678","vacant":true,"deep":{"access_code":"9012"},"Access_Code":"3456"}}"#;
    let fields: OrderFields = serde_json::from_str(fields).expect("fields");
    let sample = order();
    let facts = StageFacts {
        fields: &fields,
        ..sample.facts()
    };
    for expression in [
        "order",
        "order.property_access",
        "order.property_access.access_code",
        "order[\"property_access\"][\"access_code\"]",
        "order.property_access|items|list",
        "order.property_access|dictsort",
        "order.property_access|string",
        "order|tojson",
        "order|string",
        "[order]|map(attribute=\"property_access.access_code\")|list",
        "order|attr(\"property_access\")|attr(\"access_code\")",
        "order_v2",
        "order_v3",
        "thin",
        "order.property_access|list",
        "[order, order_v3]|join",
    ] {
        let text = format!("{{\"v\":{{{{ {expression} }}}}}}");
        let template = Template::compile(&text).expect("a template");
        let payload = template.render(&facts).expect("a payload");
        let payload = String::from_utf8(payload).expect("UTF-8");
        for code in ["1234", "5678", "9012", "3456"] {
            assert!(!payload.contains(code), "{expression}: {payload}");
        }
    }
}
