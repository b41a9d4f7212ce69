//! The closed vocabulary of outcomes: every answer of the API bears one of these.

use http::StatusCode;

/// One outcome that an answer can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// The name under `status` in the answer; never changes once published.
    pub slug: &'static str,
    /// The HTTP status, equal to `code` in the answer.
    pub code: u16,
    /// What it tells the caller, for the reference page.
    pub description: &'static str,
    /// Whether the reference page lists it apart, as one that callers hardly ever meet.
    pub uncommon: bool,
}

impl Status {
    const fn new(slug: &'static str, code: u16, description: &'static str) -> Self {
        Status {
            slug,
            code,
            description,
            uncommon: false,
        }
    }

    const fn uncommon(slug: &'static str, code: u16, description: &'static str) -> Self {
        Status {
            slug,
            code,
            description,
            uncommon: true,
        }
    }

    /// The same number as `code`, as the HTTP library knows it.
    pub fn http(&self) -> StatusCode {
        StatusCode::from_u16(self.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// The request did what was asked.
pub const ACTION_SUCCESSFUL: Status = Status::new(
    "action-successful",
    200,
    "The request did what it asked for. Whatever it returns is under `data`.",
);
/// The token cannot be accepted.
pub const INVALID_TOKEN: Status = Status::new(
    "invalid-token",
    401,
    "The token is unknown, was revoked, or is not a string.",
);
/// The session behind the token is over.
pub const SESSION_EXPIRED: Status = Status::new(
    "session-expired",
    401,
    "The session is older than seven days, or was idle for more than 72 hours. Sign in again. \
     Sessions of users who saved `remember_me` do not end by themselves.",
);
/// The user behind the session has no role yet.
pub const CLIENT_REQUIRED: Status = Status::new(
    "client-required",
    401,
    "The user has no client, employee or liaison record yet and so may do nothing else. The answer \
     still carries a `session`, whose token `/api/v1/users/client_register` accepts to register \
     the user as a client.",
);
/// The caller's role never reaches this route.
pub const PERMISSION_DENIED: Status = Status::new(
    "permission-denied",
    403,
    "This route is closed to the caller's role. Single records that are out of reach are reported \
     as missing instead.",
);
/// E-mail and password do not belong together.
pub const INVALID_CREDENTIALS: Status = Status::new(
    "invalid-credentials",
    401,
    "No user with this e-mail address and password, or a link's token that is unknown, used or expired. Which of \
     these is wrong is not told.",
);
/// Something required is absent.
pub const MISSING_PARAM: Status = Status::new(
    "missing-param",
    400,
    "A required parameter is absent or null. `errors` names every one that is missing.",
);
/// Something given cannot be accepted.
pub const INVALID_PARAM: Status = Status::new(
    "invalid-param",
    400,
    "A parameter cannot be accepted: its type, its value, an id that does not exist or is out of \
     reach, or a name that the route does not know. `errors` names every one.",
);
/// A fault of the server.
pub const APPLICATION_CRASH: Status = Status::new(
    "application-crash",
    500,
    "A fault inside the server. It has been recorded under the answer's `x-request-id`; please try \
     again later.",
);
/// A mail that belongs to the request could not be sent.
pub const MANDRILL_EMAIL_FAILED: Status = Status::new(
    "mandrill-email-failed",
    500,
    "A mail that this request must send could not be sent, and so nothing was stored. The \
     operators have been notified.",
);
/// The body is not announced as what the route takes.
pub const INVALID_CONTENT_TYPE: Status = Status::new(
    "invalid-content-type",
    400,
    "The Content-Type is not the route's: `application/json`, or `text/plain` where parameters are \
     sensitive.",
);
/// No such path under the API.
pub const ROUTE_NON_EXISTENT: Status = Status::new(
    "route-non-existent",
    500,
    "There is no route with this path and method.",
);
/// The caller asks too often.
pub const RATE_LIMIT_EXCEEDED: Status = Status::new(
    "rate-limit-exceeded",
    429,
    "Too many requests in a short time. `Retry-After` says how many seconds to wait.",
);
/// The body is longer than the route reads.
pub const BODY_TOO_LARGE: Status = Status::new(
    "body-too-large",
    413,
    "The body is larger than this route accepts.",
);
/// The store takes no work just now.
pub const STORE_UNAVAILABLE: Status = Status::new(
    "store-unavailable",
    503,
    "The store cannot take the request at the moment; nothing was changed. `Retry-After` says how \
     many seconds to wait.",
);
/// The body holds no parameter at all.
pub const NO_PARAMS_DECODED: Status = Status::uncommon(
    "no-params-decoded",
    400,
    "The body could be read, and holds no parameters.",
);
/// The body cannot be read.
pub const INVALID_ENCODED_PARAMS: Status = Status::uncommon(
    "invalid-encoded-params",
    400,
    "The body cannot be read as a JSON object. Routes with sensitive parameters take that object \
     encoded in base64.",
);
/// The route is switched off.
pub const ROUTE_NOT_FOUND: Status = Status::uncommon(
    "route-not-found",
    500,
    "This route is not deployed at present.",
);
/// A fault before it was known which route is meant.
pub const IDENTIFY_REQUEST_ERROR: Status = Status::uncommon(
    "identify-request-error",
    500,
    "A fault inside the server before the route was identified. Please try again later.",
);
/// The whole service is switched off.
pub const SERVICE_NOT_FOUND: Status = Status::uncommon(
    "service-not-found",
    500,
    "The service that this route belongs to is not deployed at present.",
);

/// What any route may answer, in the order of the reference page.
pub const COMMON: &[&Status] = &[
    &ACTION_SUCCESSFUL,
    &MISSING_PARAM,
    &INVALID_PARAM,
    &APPLICATION_CRASH,
    &INVALID_CONTENT_TYPE,
    &ROUTE_NON_EXISTENT,
    &RATE_LIMIT_EXCEEDED,
    &BODY_TOO_LARGE,
    &STORE_UNAVAILABLE,
    &NO_PARAMS_DECODED,
    &INVALID_ENCODED_PARAMS,
    &ROUTE_NOT_FOUND,
    &IDENTIFY_REQUEST_ERROR,
    &SERVICE_NOT_FOUND,
];

/// What any route that takes a token may answer besides [`COMMON`].
pub const AUTHENTICATED: &[&Status] = &[
    &INVALID_TOKEN,
    &SESSION_EXPIRED,
    &CLIENT_REQUIRED,
    &PERMISSION_DENIED,
];

/// What only a route that declares it may answer.
pub const PARTICULAR: &[&Status] = &[&INVALID_CREDENTIALS, &MANDRILL_EMAIL_FAILED];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slug_is_listed_once_with_its_code() {
        let mut listed: Vec<(&str, u16)> = [COMMON, AUTHENTICATED, PARTICULAR]
            .concat()
            .iter()
            .map(|status| (status.slug, status.code))
            .collect();
        listed.sort_unstable();
        assert_eq!(
            listed,
            [
                ("action-successful", 200),
                ("application-crash", 500),
                ("body-too-large", 413),
                ("client-required", 401),
                ("identify-request-error", 500),
                ("invalid-content-type", 400),
                ("invalid-credentials", 401),
                ("invalid-encoded-params", 400),
                ("invalid-param", 400),
                ("invalid-token", 401),
                ("mandrill-email-failed", 500),
                ("missing-param", 400),
                ("no-params-decoded", 400),
                ("permission-denied", 403),
                ("rate-limit-exceeded", 429),
                ("route-non-existent", 500),
                ("route-not-found", 500),
                ("service-not-found", 500),
                ("session-expired", 401),
                ("store-unavailable", 503),
            ]
        );
    }

    #[test]
    fn the_five_rare_ones_are_marked() {
        let rare: Vec<&str> = COMMON
            .iter()
            .filter(|status| status.uncommon)
            .map(|status| status.slug)
            .collect();
        assert_eq!(
            rare,
            [
                "no-params-decoded",
                "invalid-encoded-params",
                "route-not-found",
                "identify-request-error",
                "service-not-found"
            ]
        );
    }
}
