//! What is copied: each table, and each of its columns. A test of every engine compares this with its schema.

use super::{NO_COLUMNS, Table};

/// All that is kept, but what nodes know of each other. A table may stand anywhere: references are kept by no engine.
pub static TABLES: &[Table] = &[
    Table {
        name: "applications",
        key: "id",
        integers: "id integration_id previous_token_until created_at token_created_at",
        booleans: "active",
        texts: "slug",
        bytes: "token_hash previous_token_hash",
        ..NO_COLUMNS
    },
    Table {
        name: "integrations",
        key: "id",
        integers: "id retention_days matching_revision created_at updated_at",
        texts: "key name",
        ..NO_COLUMNS
    },
    Table {
        name: "list_items",
        key: "id",
        integers: "id created_at updated_at",
        booleans: "active",
        texts: "key slug name description",
        ..NO_COLUMNS
    },
    Table {
        name: "webhook_out_subs",
        key: "id",
        integers: "id integration_id timeout_seconds max_in_flight previous_signs_until created_at updated_at deleted_at",
        booleans: "active notify supersede catching_up",
        texts: "key name callback_url statuses events filter notification_emails success_code payload_render_view version ordering retry_policy rate_limit headers public_key",
        bytes: "sealed_headers signing_secret previous_signing_secret signing_key previous_signing_key",
        ..NO_COLUMNS
    },
    Table {
        name: "webhook_out_sub_revisions",
        key: "integration_id webhook_out_sub_id revision",
        integers: "integration_id webhook_out_sub_id revision created_at",
        texts: "standing statuses events filter ordering",
        ..NO_COLUMNS
    },
    Table {
        name: "payload_render_views",
        key: "id",
        integers: "id integration_id revision created_at updated_at",
        texts: "key name description",
        ..NO_COLUMNS
    },
    Table {
        name: "payload_render_view_revisions",
        key: "payload_render_view_id number",
        integers: "payload_render_view_id number created_at",
        texts: "template",
        beside: "integration_id",
        ..NO_COLUMNS
    },
    Table {
        name: "users",
        key: "id",
        integers: "id created_at updated_at",
        booleans: "remember_me",
        texts: "email name password_hash",
        ..NO_COLUMNS
    },
    Table {
        name: "clients",
        key: "id",
        integers: "id user_id created_at",
        ..NO_COLUMNS
    },
    Table {
        name: "employees",
        key: "id",
        integers: "id user_id created_at",
        ..NO_COLUMNS
    },
    Table {
        name: "liaisons",
        key: "id",
        integers: "id user_id created_at",
        ..NO_COLUMNS
    },
    Table {
        name: "scoped_integrations",
        key: "user_id integration_id",
        integers: "user_id integration_id",
        ..NO_COLUMNS
    },
    Table {
        name: "sessions",
        key: "id",
        integers: "id user_id created_at last_used_at",
        bytes: "token_hash",
        ..NO_COLUMNS
    },
    Table {
        name: "sign_in_links",
        key: "token_hash",
        integers: "integration_id created_at expires_at",
        texts: "email",
        bytes: "token_hash",
        ..NO_COLUMNS
    },
    Table {
        name: "services",
        key: "id",
        integers: "id created_at updated_at",
        booleans: "deployed",
        texts: "key",
        ..NO_COLUMNS
    },
    Table {
        name: "routes",
        key: "id",
        integers: "id created_at updated_at",
        booleans: "deployed",
        texts: "service action method",
        ..NO_COLUMNS
    },
    Table {
        name: "notifications",
        key: "id",
        integers: "id integration_id webhook_out_sub_id times created_at updated_at read_at",
        texts: "kind about message request_id",
        ..NO_COLUMNS
    },
    Table {
        name: "audit_events",
        key: "id",
        integers: "id integration_id record_id created_at",
        texts: "actor request_id noun action before after",
        ..NO_COLUMNS
    },
    Table {
        name: "idempotency_keys",
        key: "integration_id key",
        integers: "integration_id created_at",
        texts: "key",
        bytes: "request_hash answer",
        ..NO_COLUMNS
    },
    Table {
        name: "letters",
        key: "id",
        integers: "id",
        bytes: "about",
        beside: "integration_id",
        ..NO_COLUMNS
    },
    Table {
        name: "mails",
        key: "id",
        integers: "id letter_id attempts next_attempt_at created_at",
        texts: "address message_id",
        beside: "integration_id",
        ..NO_COLUMNS
    },
    Table {
        name: "trouble_mails",
        key: "webhook_out_sub_id",
        integers: "webhook_out_sub_id",
        texts: "record",
        beside: "integration_id",
        ..NO_COLUMNS
    },
    Table {
        name: "recoveries",
        key: "id",
        integers: "id integration_id webhook_out_sub_id per_second matched looked_at_id last_id looked_at made created_at updated_at finished_at",
        booleans: "matched_capped",
        texts: "kind work state",
        ..NO_COLUMNS
    },
    Table {
        name: "payload_removals",
        key: "integration_id",
        integers: "integration_id order_stage_id webhook_job_id",
        ..NO_COLUMNS
    },
    Table {
        name: "orders",
        key: "id",
        integers: "id integration_id sequence created_at updated_at",
        texts: "external_order_id status fields address",
        ..NO_COLUMNS
    },
    Table {
        name: "order_stages",
        key: "id",
        integers: "id integration_id order_id sequence stage_at matching_revision created_at",
        booleans: "update_status",
        texts: "stage event_slug filter_results",
        ..NO_COLUMNS
    },
    Table {
        name: "payloads",
        key: "id",
        integers: "id",
        texts: "view version",
        bytes: "body",
        beside: "integration_id",
        ..NO_COLUMNS
    },
    Table {
        name: "webhook_attempts",
        key: "webhook_job_id number",
        integers: "webhook_job_id number started_at status_code",
        booleans: "answer_body_truncated",
        texts: "callback_url outcome fault message address timing answer_headers answer_body",
        beside: "integration_id",
        ..NO_COLUMNS
    },
    Table {
        name: "lanes",
        key: "webhook_out_sub_id",
        integers: "webhook_out_sub_id",
        texts: "record",
        beside: "integration_id",
        ..NO_COLUMNS
    },
    Table {
        name: "webhook_jobs",
        key: "id",
        integers: "id integration_id webhook_out_sub_id order_id order_stage_id sequence payload_id attempts job_faults first_attempt_clock status_code next_attempt_at retry_of created_at finished_at",
        booleans: "ordered passed test late cancel_requested",
        texts: "status event state view_failed",
        uuids: "webhook_id",
        ..NO_COLUMNS
    },
    Table {
        name: "delivery_statistics",
        key: "step_seconds begins_at integration_id webhook_out_sub_id measure duration_class",
        integers: "step_seconds begins_at integration_id webhook_out_sub_id duration_class counted",
        texts: "measure",
        beside: "node_id",
        ..NO_COLUMNS
    },
];
