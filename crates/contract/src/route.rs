//! One route of the API: the declaration that parsing, checking, documentation and tests share.

use crate::kind::Kind;
use crate::param::Param;
use crate::shape::Shape;
use crate::status::{self, Status};

/// Largest body of a route that states no limit of its own: far above any single record, far below
/// what would hurt when many arrive at once.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// The two methods of the API: `update` is PUT, everything else POST.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Creates, reads, deletes and every verb of its own.
    Post,
    /// Updates.
    Put,
}

impl Method {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Method::Post => "POST",
            Method::Put => "PUT",
        }
    }

    /// As the HTTP library knows it.
    pub fn http(self) -> http::Method {
        match self {
            Method::Post => http::Method::POST,
            Method::Put => http::Method::PUT,
        }
    }
}

/// A route, declared as a constant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Route {
    /// The noun in the path, such as `orders`.
    pub service: &'static str,
    /// The verb in the path, such as `create`.
    pub action: &'static str,
    /// The method.
    pub method: Method,
    /// The heading of its reference page.
    pub title: &'static str,
    /// What it is for, for the reference page.
    pub purpose: &'static str,
    /// Whether the body is base64 in `text/plain`, so that passwords do not show in the logs of
    /// what lies between.
    pub sensitive: bool,
    /// Everything the body may hold.
    pub params: &'static [Param],
    /// What it may answer besides the common statuses, and those of authentication where it takes a
    /// token.
    pub own_statuses: &'static [&'static Status],
    /// What stands under `data` when it was successful.
    pub data: Option<&'static Shape>,
    /// Largest body in bytes, as it is sent.
    pub body_bytes_max: usize,
    /// A body that the declaration accepts, as JSON text.
    pub example: &'static str,
}

impl Route {
    /// A route reached by POST.
    pub const fn post(service: &'static str, action: &'static str) -> Self {
        Route {
            service,
            action,
            method: Method::Post,
            title: "",
            purpose: "",
            sensitive: false,
            params: &[],
            own_statuses: &[],
            data: None,
            body_bytes_max: BODY_BYTES_MAX,
            example: "{}",
        }
    }

    /// A route reached by PUT.
    pub const fn put(service: &'static str, action: &'static str) -> Self {
        let mut route = Route::post(service, action);
        route.method = Method::Put;
        route
    }

    /// Sets heading and purpose of the reference page.
    pub const fn about(mut self, title: &'static str, purpose: &'static str) -> Self {
        self.title = title;
        self.purpose = purpose;
        self
    }

    /// Sets the parameters.
    pub const fn params(mut self, params: &'static [Param]) -> Self {
        self.params = params;
        self
    }

    /// Sets what it may answer besides the common statuses.
    pub const fn answers(mut self, statuses: &'static [&'static Status]) -> Self {
        self.own_statuses = statuses;
        self
    }

    /// Sets what stands under `data`.
    pub const fn data(mut self, shape: &'static Shape) -> Self {
        self.data = Some(shape);
        self
    }

    /// Makes the body base64 in `text/plain`.
    pub const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Sets the largest body.
    pub const fn body_bytes_max(mut self, bytes: usize) -> Self {
        self.body_bytes_max = bytes;
        self
    }

    /// Sets the example of the reference page.
    pub const fn example(mut self, json: &'static str) -> Self {
        self.example = json;
        self
    }

    /// Where it is reached.
    pub fn path(&self) -> String {
        format!("/api/v1/{}/{}", self.service, self.action)
    }

    /// The media type that its body must be announced as.
    pub const fn content_type(&self) -> &'static str {
        if self.sensitive {
            "text/plain"
        } else {
            "application/json"
        }
    }

    /// The parameter that takes the token; a route is authenticated if it declares one.
    pub fn token(&self) -> Option<&'static Param> {
        self.params
            .iter()
            .find(|param| matches!(param.kind, Kind::Token))
    }

    /// Every status it may answer, in the order of the reference page.
    pub fn statuses(&self) -> impl Iterator<Item = &'static Status> {
        let authenticated = if self.token().is_some() {
            status::AUTHENTICATED
        } else {
            &[]
        };
        let rest = status::COMMON
            .iter()
            .filter(|common| **common != &status::ACTION_SUCCESSFUL);
        std::iter::once(&status::ACTION_SUCCESSFUL)
            .chain(self.own_statuses.iter().copied())
            .chain(authenticated.iter().copied())
            .chain(rest.copied())
    }

    /// Whether it may answer this status. Answering another one is a defect.
    pub fn permits(&self, status: &Status) -> bool {
        self.statuses().any(|permitted| permitted == status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::param::TOKEN;

    #[test]
    fn path_method_and_content_type_follow_the_declaration() {
        const OPEN: Route = Route::post("sessions", "create").sensitive();
        const UPDATE: Route = Route::put("orders", "update");
        assert_eq!(
            (OPEN.path().as_str(), OPEN.method.http()),
            ("/api/v1/sessions/create", http::Method::POST)
        );
        assert_eq!(
            (UPDATE.path().as_str(), UPDATE.method.http()),
            ("/api/v1/orders/update", http::Method::PUT)
        );
        assert_eq!(
            (OPEN.content_type(), UPDATE.content_type()),
            ("text/plain", "application/json")
        );
    }

    #[test]
    fn only_declared_statuses_are_permitted() {
        const OPEN: Route =
            Route::post("sessions", "create").answers(&[&status::INVALID_CREDENTIALS]);
        const CLOSED: Route = Route::post("orders", "show").params(&[TOKEN]);
        let cases = [
            (OPEN, &status::INVALID_CREDENTIALS, true),
            (OPEN, &status::INVALID_TOKEN, false),
            (OPEN, &status::ACTION_SUCCESSFUL, true),
            (CLOSED, &status::INVALID_TOKEN, true),
            (CLOSED, &status::INVALID_CREDENTIALS, false),
            (CLOSED, &status::MANDRILL_EMAIL_FAILED, false),
            (CLOSED, &status::STORE_UNAVAILABLE, true),
        ];
        for (route, status, permitted) in cases {
            assert_eq!(
                route.permits(status),
                permitted,
                "{} {}",
                route.path(),
                status.slug
            );
        }
    }

    #[test]
    fn statuses_are_listed_once_success_first() {
        const ROUTE: Route = Route::post("webhook_out_subs", "create")
            .params(&[TOKEN])
            .answers(&[&status::MANDRILL_EMAIL_FAILED]);
        let slugs: Vec<&str> = ROUTE.statuses().map(|status| status.slug).collect();
        assert_eq!(
            slugs[..3],
            [
                "action-successful",
                "mandrill-email-failed",
                "invalid-token"
            ]
        );
        assert_eq!(
            slugs.len(),
            status::COMMON.len() + status::AUTHENTICATED.len() + 1
        );
    }
}
