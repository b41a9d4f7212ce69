//! Where one can go: the pages of an integration, and those that concern all of them.

use app::Access;
use maud::{Markup, html};

use crate::account;
use crate::forgery;
use crate::notifications;
use crate::text::grouped;
use crate::visit::Visit;

/// An entry of the navigation.
pub(crate) struct Entry {
    /// What it says.
    label: &'static str,
    /// The path below that of the integration; the whole path for those outside.
    path: &'static str,
    /// Who is shown it; the API decides for itself who may.
    access: Access,
    /// Whether it is part of the portal.
    in_portal: bool,
}

/// The pages of an integration.
const INSIDE: &[Entry] = &[
    Entry {
        label: "Overview",
        path: "",
        access: Access::Readers,
        in_portal: true,
    },
    Entry {
        label: "Jobs",
        path: "/webhook_jobs",
        access: Access::Readers,
        in_portal: true,
    },
    Entry {
        label: "Orders",
        path: "/orders",
        access: Access::Readers,
        in_portal: true,
    },
    Entry {
        label: "Subscriptions",
        path: "/webhook_out_subs",
        access: Access::Readers,
        in_portal: true,
    },
    Entry {
        label: "Test receiver",
        path: "/test_receiver",
        access: Access::Readers,
        in_portal: false,
    },
    Entry {
        label: "Invite",
        path: "/invitation_email",
        access: Access::Managers,
        in_portal: false,
    },
];

/// The pages that concern all integrations.
const OUTSIDE: &[Entry] = &[
    Entry {
        label: "Integrations",
        path: "/integrations",
        access: Access::Readers,
        in_portal: false,
    },
    Entry {
        label: "Users",
        path: "/users",
        access: Access::Operators,
        in_portal: false,
    },
    Entry {
        label: "Applications",
        path: "/applications",
        access: Access::Operators,
        in_portal: false,
    },
    Entry {
        label: "Vocabularies",
        path: "/list_items",
        access: Access::Readers,
        in_portal: false,
    },
    Entry {
        label: "Notifications",
        path: "/notifications",
        access: Access::Operators,
        in_portal: false,
    },
    Entry {
        label: "Audit events",
        path: "/audit_events",
        access: Access::Operators,
        in_portal: false,
    },
    Entry {
        label: "Services",
        path: "/services",
        access: Access::Operators,
        in_portal: false,
    },
];

/// The entries, the current one marked.
pub(crate) fn main(visit: &Visit) -> Markup {
    let root = visit.root();
    let inside = INSIDE.iter().filter(|_| visit.integration.is_some());
    html! {
        nav.places aria-label="Pages" {
            ul {
                @for entry in inside.filter(|entry| visit.may(entry.access) && (entry.in_portal || !visit.is_by_link())) {
                    (item(entry.label, &format!("{root}{}", entry.path), is_inside(visit, &root, entry.path), 0))
                }
            }
            @if !visit.is_by_link() { ul {
                @for entry in OUTSIDE.iter().filter(|entry| visit.may(entry.access)) {
                    (item(entry.label, entry.path, visit.integration.is_none() && visit.path.starts_with(entry.path), unread(visit, entry)))
                }
                li { a href="/documentation" { "API reference" } }
            } }
        }
    }
}

fn is_inside(visit: &Visit, root: &str, path: &str) -> bool {
    let Some(rest) = visit.path.strip_prefix(root) else {
        return false;
    };
    match path {
        "" => rest.trim_end_matches('/').is_empty(),
        path => rest
            .strip_prefix(path)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/')),
    }
}

/// How many wait to be read behind an entry.
fn unread(visit: &Visit, entry: &Entry) -> u64 {
    if entry.path == notifications::PATH {
        visit.unread
    } else {
        0
    }
}

fn item(label: &str, path: &str, is_current: bool, unread: u64) -> Markup {
    html! { li { a href=(path) aria-current=[is_current.then_some("page")] {
        (label)
        @if unread > 0 { " " span.badge { (grouped(unread.try_into().unwrap_or(i64::MAX))) span.unseen { " unread" } } }
    } } }
}

/// The integration that is looked at, and the others.
pub(crate) fn integrations(visit: &Visit) -> Markup {
    let current = visit.integration.as_ref();
    html! {
        // A page that answers a form has no menu.
        @if visit.menu.is_empty() { span.where.shortened { (current.map_or("", |current| current.name.as_str())) } }
        @if !visit.menu.is_empty() {
            details.menu {
                summary aria-label="Integration" {
                    span.shortened { (current.map_or("All integrations", |current| current.name.as_str())) }
                }
                div.panel {
                    ul { @for integration in &visit.menu {
                        li { a href={ "/integrations/" (integration.id) } aria-current=[(current == Some(integration)).then_some("true")] {
                            (integration.name)
                        } }
                    } }
                    a href="/integrations" { "All integrations" }
                }
            }
        }
    }
}

/// Who is signed in, and the way out.
pub(crate) fn account(visit: &Visit) -> Markup {
    if let Some(subject) = visit.subject() {
        return html! { span.who.shortened { (subject) } };
    }
    let Some(user) = visit.user() else {
        return html! {};
    };
    let email = &user.email;
    html! {
        details.menu.account {
            summary aria-label="Account" { span.avatar aria-hidden="true" { (email.chars().next().unwrap_or('?').to_uppercase()) } }
            div.panel {
                p { strong.shortened { (email) } }
                p.quiet { @for role in &user.roles { (role.name()) " " } }
                a href=(account::PATH) { "Account" }
                form method="post" action="/sign_out" {
                    input type="hidden" name=(forgery::FIELD) value=(visit.form_token);
                    button type="submit" { "Sign out" }
                }
            }
        }
    }
}
