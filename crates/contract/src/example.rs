//! Example answers, written by the same code as the real ones.

use bytes::Bytes;
use http::Response;
use serde_json::Value;
use serde_json::value::to_raw_value;

use crate::failure::Failure;
use crate::fault::Fault;
use crate::kind::Kind;
use crate::param::{Param, by_position};
use crate::reply::Reply;
use crate::route::Route;
use crate::status::{self, Status};

/// The seconds in the example of an answer that says when to try again.
const RETRY_AFTER_SECONDS: u32 = 1;

impl Route {
    /// Whether its answers bear `next`, the cursor of the following page.
    pub fn is_paged(&self) -> bool {
        self.params.iter().any(|param| param.name == "page")
    }

    /// Whether its answers can bear `count`.
    pub fn is_counted(&self) -> bool {
        self.params.iter().any(|param| param.name == "count")
    }

    /// The heading of its service: its own without the action.
    pub fn service_title(&self) -> String {
        let mut action = self.action.replace('_', " ");
        action[..1].make_ascii_uppercase();
        let title = self.title.trim_end_matches(" API");
        let service = title.strip_suffix(&action).unwrap_or(title).trim_end();
        service.to_owned()
    }

    /// An answer with this status.
    pub fn example_answer(&self, status: &'static Status) -> Value {
        if status == &status::ACTION_SUCCESSFUL {
            return self.example_success();
        }
        let params = by_position(self.params);
        let named = |param: &&&Param| !matches!(param.kind, Kind::Token);
        let required = params.iter().find(|param| param.required && named(param));
        let attr = match required.or(params.iter().find(named)) {
            Some(param) => param.name,
            None => "token",
        };
        example_failure(status, attr)
    }

    fn example_success(&self) -> Value {
        let data = self.data.map_or(Value::Null, |shape| shape.example());
        let Ok(data) = to_raw_value(&data) else {
            return Value::Null;
        };
        let mut reply = Reply::raw(data);
        if self.is_counted() {
            reply = reply.count(1, false);
        }
        if self.is_paged() {
            reply = reply.next(None);
        }
        body(&reply.into_response())
    }
}

/// An answer with this status, which is not that of success, where a parameter of this name is to blame if
/// any is.
pub(crate) fn example_failure(status: &'static Status, attr: &str) -> Value {
    let failure = match status {
        status if status == &status::MISSING_PARAM => {
            Failure::missing_param(vec![Fault::missing(attr)])
        }
        status if status == &status::INVALID_PARAM => {
            Failure::invalid_param(vec![Fault::new(attr, "does not exist")])
        }
        status if tells_when_to_retry(status) => {
            Failure::of(status).retry_after(RETRY_AFTER_SECONDS)
        }
        status => Failure::of(status),
    };
    body(&failure.into_response())
}

/// Whether an answer with this status bears the header `Retry-After`.
pub fn tells_when_to_retry(status: &Status) -> bool {
    [&status::RATE_LIMIT_EXCEEDED, &status::STORE_UNAVAILABLE].contains(&status)
}

fn body(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::param::TOKEN;
    use crate::shape::Shape;
    use serde_json::json;

    const ROUTE: Route = Route::post("order_stages", "create_many")
        .about("Order Stages Create many API", "Reports changes.")
        .data(&Shape::Null)
        .params(&[
            TOKEN,
            Param::integer("id").at(300).required(),
            Param::hash("page", &[]).at(400),
            Param::integer("first").at(200).required(),
        ]);

    #[test]
    fn examples_fit_the_route() {
        let missing = ROUTE.example_answer(&status::MISSING_PARAM);
        assert_eq!(
            missing["errors"],
            json!([{ "attr": "first", "message": "missing" }])
        );
        let success = ROUTE.example_answer(&status::ACTION_SUCCESSFUL);
        assert_eq!(
            success,
            json!({ "code": 200, "status": "action-successful", "data": null, "next": null })
        );
    }

    #[test]
    fn the_title_of_a_service_is_that_of_its_routes() {
        assert_eq!(ROUTE.service_title(), "Order Stages");
    }
}
