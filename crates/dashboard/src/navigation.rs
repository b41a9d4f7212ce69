//! Where one can go: the pages of an integration, and those that concern all of them.

use app::Access;
use maud::{Markup, html};

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
}

/// The pages of an integration.
const INSIDE: &[Entry] = &[
    Entry {
        label: "Overview",
        path: "",
        access: Access::Readers,
    },
    Entry {
        label: "Jobs",
        path: "/webhook_jobs",
        access: Access::Readers,
    },
    Entry {
        label: "Orders",
        path: "/orders",
        access: Access::Readers,
    },
    Entry {
        label: "Subscriptions",
        path: "/webhook_out_subs",
        access: Access::Readers,
    },
    Entry {
        label: "Invite",
        path: "/invitation_email",
        access: Access::Managers,
    },
    Entry {
        label: "Test receiver",
        path: "/test_receiver",
        access: Access::Readers,
    },
];

/// The pages that concern all integrations.
const OUTSIDE: &[Entry] = &[
    Entry {
        label: "Integrations",
        path: "/integrations",
        access: Access::Readers,
    },
    Entry {
        label: "Users",
        path: "/users",
        access: Access::Operators,
    },
    Entry {
        label: "Applications",
        path: "/applications",
        access: Access::Operators,
    },
    Entry {
        label: "Vocabularies",
        path: "/list_items",
        access: Access::Readers,
    },
    Entry {
        label: "Notifications",
        path: "/notifications",
        access: Access::Operators,
    },
    Entry {
        label: "Audit events",
        path: "/audit_events",
        access: Access::Operators,
    },
    Entry {
        label: "Services",
        path: "/services",
        access: Access::Operators,
    },
];

/// The entries, the current one marked.
pub(crate) fn main(visit: &Visit) -> Markup {
    let root = visit.root();
    let inside = INSIDE.iter().filter(|_| visit.integration.is_some());
    html! {
        nav.places aria-label="Pages" {
            ul {
                @for entry in inside.filter(|entry| visit.may(entry.access)) {
                    (item(entry.label, &format!("{root}{}", entry.path), is_inside(visit, &root, entry.path), 0))
                }
            }
            ul {
                @for entry in OUTSIDE.iter().filter(|entry| visit.may(entry.access)) {
                    (item(entry.label, entry.path, visit.integration.is_none() && visit.path.starts_with(entry.path), unread(visit, entry)))
                }
                li { a href="/documentation" { "API reference" } }
            }
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
                form method="post" action="/sign_out" {
                    input type="hidden" name=(forgery::FIELD) value=(visit.form_token);
                    button type="submit" { "Sign out" }
                }
            }
        }
    }
}
