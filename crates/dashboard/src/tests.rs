//! Every page, rendered: sound, small, without anything inline, and with links that lead somewhere.

use std::collections::BTreeSet;

use contract::{JsonShape, Kind, Param, Route, Shape, TOKEN};
use http::StatusCode;

use crate::documentation::{index_page, route_page};
use crate::{assets, page_not_found};

const NESTED: &[Param] = &[Param::string("deep<er>").at(1).about("A `<b>` & more.")];
const PARAMS: &[Param] = &[
    TOKEN,
    Param::hash("hash", NESTED)
        .at(200)
        .required()
        .about("Holds more."),
    Param::array("list", &Kind::Hash { children: NESTED })
        .at(300)
        .about("Several."),
    Param::json("free", JsonShape::Any)
        .at(400)
        .about("Anything."),
    Param::string("word")
        .at(500)
        .one_of(&["one", "two"])
        .about("A word."),
];
const SHOW: Route = Route::post("things", "show")
    .about("Things Show API", "Shows a thing. And more.")
    .params(PARAMS)
    .data(&Shape::Null)
    .example(r#"{"token": "pra_…", "hash": {}}"#);
const SECRET: Route = Route::put("things", "update")
    .about("Things Update API", "Changes a thing.")
    .sensitive()
    .data(&Shape::List(&Shape::Integer))
    .example(r#"{"word": "it's"}"#);
const ROUTES: [&Route; 2] = [&SHOW, &SECRET];

/// Most bytes of a page.
const PAGE_BYTES_MAX: usize = 100 * 1024;

fn pages() -> Vec<(String, String)> {
    let url = "https://p.example.com";
    let mut pages = vec![(
        "/documentation".to_owned(),
        index_page(&ROUTES, url).render().into_string(),
    )];
    for (at, route) in ROUTES.iter().enumerate() {
        let page = route_page(&ROUTES, at, url).render().into_string();
        pages.push((format!("/documentation{}", route.path()), page));
    }
    pages
}

/// The values of an attribute.
fn values<'p>(page: &'p str, attribute: &str) -> Vec<&'p str> {
    let start = format!(" {attribute}=\"");
    let pieces = page.split(start.as_str()).skip(1);
    pieces.filter_map(|piece| piece.split('"').next()).collect()
}

#[test]
fn pages_are_small_and_hold_nothing_inline() {
    for (path, page) in pages() {
        assert!(page.len() < PAGE_BYTES_MAX, "{path}: {}", page.len());
        assert!(page.starts_with("<!DOCTYPE html>"), "{path}");
        assert_eq!(page.matches("<h1").count(), 1, "{path}");
        for inline in ["<style", " style=", " onclick=", "javascript:"] {
            assert!(!page.contains(inline), "{path} has {inline}");
        }
        for script in page.split("<script").skip(1) {
            assert!(
                script.contains("></script>"),
                "{path} has a script of its own"
            );
        }
    }
}

#[test]
fn ids_stand_once_and_links_within_a_page_lead_to_one() {
    for (path, page) in pages() {
        let ids = values(&page, "id");
        let set: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), set.len(), "{path} has an id twice");
        for link in values(&page, "href") {
            if let Some(id) = link.strip_prefix('#') {
                assert!(set.contains(id), "{path} has a link to {id}");
            }
        }
    }
}

#[test]
fn links_to_other_pages_lead_to_pages_and_assets_exist() {
    let pages = pages();
    let known: BTreeSet<&str> = pages.iter().map(|(path, _)| path.as_str()).collect();
    for (path, page) in &pages {
        let links = [values(page, "href"), values(page, "src")].concat();
        for link in links.into_iter().filter(|link| !link.starts_with('#')) {
            let is_there = match link.strip_prefix("/assets/") {
                Some(name) => assets::find(name).is_some(),
                None => {
                    known.contains(link)
                        || link == "/"
                        || link.starts_with("/documentation/list_items")
                        || link == "/documentation/openapi.json"
                }
            };
            assert!(is_there, "{path} has a link to {link}");
        }
    }
}

#[test]
fn what_declarations_say_is_escaped_and_nested() {
    let (_, page) = &pages()[1];
    assert!(
        page.contains("<code>&lt;b&gt;</code> &amp; more."),
        "{page}"
    );
    assert!(page.contains("hash.deep&lt;er&gt;") && page.contains("list[].deep&lt;er&gt;"));
    assert!(page.contains("Possible values: "));
    let (_, page) = &pages()[2];
    assert!(page.contains("sensitive params"));
    assert!(page.contains(
        "base64 &lt;&lt;'END' | curl -sS -X PUT https://p.example.com/api/v1/things/update"
    ));
}

#[test]
fn a_page_that_is_not_there_says_so_with_all_headers() {
    let answer = page_not_found();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let header = |name: &str| answer.headers()[name].to_str().expect("text").to_owned();
    assert!(header("content-security-policy").contains("default-src 'none'"));
    assert!(!header("content-security-policy").contains("unsafe"));
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header("content-type").starts_with("text/html"));
}
