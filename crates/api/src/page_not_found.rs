//! The page for people who follow a link that leads nowhere.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

const PAGE: &str = r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Page not found · Postrider</title>
<style>
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 20vh auto; padding: 0 1.5rem; }
h1 { font-size: 1.5rem; margin-bottom: .5rem; }
</style>
</head>
<body>
<h1>There is no page at this address</h1>
<p>Postrider's API lives below <code>/api/v1/</code>. Check the address for a typing error.</p>
</body>
</html>
"#;

pub(crate) fn response() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(PAGE.as_bytes()));
    *response.status_mut() = StatusCode::NOT_FOUND;
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, html);
    response
}
