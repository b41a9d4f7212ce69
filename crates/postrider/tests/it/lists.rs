//! Lists: the vocabularies, and following a cursor.

use serde_json::json;

use crate::harness::Server;

#[test]
fn a_cursor_goes_on_in_the_list_that_it_comes_from_only() {
    let mut server = Server::start();
    for key in ["c", "a", "b"] {
        server.integration(key);
    }
    let page = |by: &str, order: &str, after: &serde_json::Value| json!({ "sort": { "by": by, "order": order }, "page": { "size": 2, "after": after } });
    let first = server.call("integrations/index", page("key", "asc", &json!(null)));
    let next = first.json()["next"].clone();
    assert!(next.is_string(), "{}", first.text);
    let rest = server.call("integrations/index", page("key", "asc", &next));
    assert_eq!(
        (&rest.data()[0]["key"], &rest.json()["next"]),
        (&json!("c"), &json!(null))
    );
    for (by, order) in [("key", "desc"), ("name", "asc"), ("id", "asc")] {
        let refused = server.call("integrations/index", page(by, order, &next));
        assert_eq!(
            (refused.status().as_str(), refused.attrs()),
            ("invalid-param", vec!["page.after".to_owned()]),
            "{by} {order}"
        );
    }
}

#[test]
fn list_items_hold_both_vocabularies() {
    let mut server = Server::start();
    for (key, count) in [("order_status", 20), ("order_event", 16)] {
        let listed = server.call("list_items/index", json!({ "key": key, "count": true }));
        assert_eq!(listed.json()["count"], count, "{}", listed.text);
        assert_eq!(listed.data().as_array().map(Vec::len), Some(count));
    }
}
