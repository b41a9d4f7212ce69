//! Who may: `o` nobody, `r` a user without a role, `l` a liaison, `c` a client, `e` an employee, `p` who came by a link into the portal.

/// Open to everybody, but no part of the portal.
pub(super) const EVERYBODY: &str = "orlce";
/// Nobody finds anything there, in this test.
pub(super) const MISSING: &str = "";

/// Whoever may does not find it, since it is over: the recovery of one job, which cannot be stopped any more; a notification that was
/// never there.
pub(super) const OVER: char = '!';

const READERS: &str = "lcep";
const MENDERS: &str = "cep";
const MANAGERS: &str = "ce";
/// Whoever has a role, outside of the portal.
const ROLES: &str = "lce";
const EMPLOYEES: &str = "e";

/// Method, path, and the letters of those who may.
pub(super) const TABLE: &[(&str, &str, &str)] = &[
    ("GET", "/", READERS),
    ("GET", "/account", ROLES),
    ("POST", "/account", ROLES),
    ("POST", "/account/password", ROLES),
    ("GET", "/applications", EMPLOYEES),
    ("POST", "/applications", EMPLOYEES),
    ("GET", "/applications/new", EMPLOYEES),
    ("GET", "/applications/{id}", EMPLOYEES),
    ("POST", "/applications/{id}", EMPLOYEES),
    ("POST", "/applications/{id}/active", EMPLOYEES),
    ("POST", "/applications/{id}/rotate_token", EMPLOYEES),
    ("GET", "/assets/{name}", EVERYBODY),
    ("GET", "/audit_events", EMPLOYEES),
    ("GET", "/documentation", EVERYBODY),
    ("GET", "/documentation/api/v1/{service}/{action}", EVERYBODY),
    ("GET", "/documentation/list_items", EVERYBODY),
    ("GET", "/documentation/list_items/{key}", EVERYBODY),
    ("GET", "/documentation/openapi.json", EVERYBODY),
    ("GET", "/documentation/{*rest}", MISSING),
    ("GET", "/first_run", MISSING),
    ("POST", "/first_run", MISSING),
    ("GET", "/integrations", ROLES),
    ("POST", "/integrations", EMPLOYEES),
    ("GET", "/integrations/new", EMPLOYEES),
    ("GET", "/integrations/{integration_id}", READERS),
    (
        "GET",
        "/integrations/{integration_id}/invitation_email",
        MANAGERS,
    ),
    (
        "POST",
        "/integrations/{integration_id}/invitation_email",
        MANAGERS,
    ),
    ("GET", "/integrations/{integration_id}/orders", READERS),
    ("GET", "/integrations/{integration_id}/orders/{id}", READERS),
    ("GET", "/integrations/{integration_id}/test_receiver", ROLES),
    (
        "POST",
        "/integrations/{integration_id}/test_receiver",
        MANAGERS,
    ),
    (
        "POST",
        "/integrations/{integration_id}/test_receiver/application",
        EMPLOYEES,
    ),
    (
        "POST",
        "/integrations/{integration_id}/test_receiver/report",
        MANAGERS,
    ),
    (
        "GET",
        "/integrations/{integration_id}/webhook_jobs",
        READERS,
    ),
    (
        "GET",
        "/integrations/{integration_id}/webhook_jobs/recoveries/{id}",
        MENDERS,
    ),
    (
        "POST",
        "/integrations/{integration_id}/webhook_jobs/recoveries/{id}",
        "cep!",
    ),
    (
        "GET",
        "/integrations/{integration_id}/webhook_jobs/retry_many",
        MENDERS,
    ),
    (
        "POST",
        "/integrations/{integration_id}/webhook_jobs/retry_many",
        MENDERS,
    ),
    (
        "GET",
        "/integrations/{integration_id}/webhook_jobs/{id}",
        READERS,
    ),
    (
        "POST",
        "/integrations/{integration_id}/webhook_jobs/{id}/cancel",
        MENDERS,
    ),
    (
        "POST",
        "/integrations/{integration_id}/webhook_jobs/{id}/retry",
        READERS,
    ),
    (
        "GET",
        "/integrations/{integration_id}/webhook_out_subs",
        READERS,
    ),
    (
        "POST",
        "/integrations/{integration_id}/webhook_out_subs",
        MENDERS,
    ),
    (
        "GET",
        "/integrations/{integration_id}/webhook_out_subs/explain",
        READERS,
    ),
    (
        "GET",
        "/integrations/{integration_id}/webhook_out_subs/new",
        MENDERS,
    ),
    (
        "GET",
        "/integrations/{integration_id}/webhook_out_subs/{id}",
        READERS,
    ),
    (
        "GET",
        "/integrations/{integration_id}/webhook_out_subs/{id}/delete",
        MENDERS,
    ),
    (
        "POST",
        "/integrations/{integration_id}/webhook_out_subs/{id}/delete",
        MENDERS,
    ),
    (
        "POST",
        "/integrations/{integration_id}/webhook_out_subs/{id}/disable",
        MENDERS,
    ),
    (
        "GET",
        "/integrations/{integration_id}/webhook_out_subs/{id}/edit",
        MENDERS,
    ),
    (
        "POST",
        "/integrations/{integration_id}/webhook_out_subs/{id}/edit",
        MENDERS,
    ),
    (
        "GET",
        "/integrations/{integration_id}/webhook_out_subs/{id}/enable",
        MENDERS,
    ),
    (
        "POST",
        "/integrations/{integration_id}/webhook_out_subs/{id}/enable",
        MENDERS,
    ),
    (
        "GET",
        "/integrations/{integration_id}/webhook_out_subs/{id}/rotate_secret",
        MENDERS,
    ),
    (
        "POST",
        "/integrations/{integration_id}/webhook_out_subs/{id}/rotate_secret",
        MENDERS,
    ),
    (
        "POST",
        "/integrations/{integration_id}/webhook_out_subs/{id}/secret",
        MENDERS,
    ),
    (
        "POST",
        "/integrations/{integration_id}/webhook_out_subs/{id}/send_test",
        MENDERS,
    ),
    ("GET", "/list_items", ROLES),
    ("GET", "/list_items/{key}", ROLES),
    ("POST", "/list_items/{key}", EMPLOYEES),
    ("GET", "/list_items/{key}/new", EMPLOYEES),
    ("GET", "/list_items/{key}/{id}", EMPLOYEES),
    ("POST", "/list_items/{key}/{id}", EMPLOYEES),
    ("GET", "/notifications", EMPLOYEES),
    ("POST", "/notifications", EMPLOYEES),
    ("POST", "/notifications/{id}", "e!"),
    ("GET", "/register", EVERYBODY),
    ("POST", "/register", EVERYBODY),
    ("GET", "/routes", EMPLOYEES),
    ("POST", "/routes/{id}", EMPLOYEES),
    ("GET", "/services", EMPLOYEES),
    ("POST", "/services/{id}", EMPLOYEES),
    ("GET", "/sign_in", EVERYBODY),
    ("POST", "/sign_in", EVERYBODY),
    ("POST", "/sign_in/link", EVERYBODY),
    ("POST", "/sign_in/request_link", EVERYBODY),
    ("POST", "/sign_out", ROLES),
    ("GET", "/users", EMPLOYEES),
    ("POST", "/users", EMPLOYEES),
    ("GET", "/users/new", EMPLOYEES),
    ("GET", "/users/{id}", EMPLOYEES),
    ("POST", "/users/{id}", EMPLOYEES),
];
