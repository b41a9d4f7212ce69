//! What all pages have around their own content.

use maud::{DOCTYPE, Markup, html};

use crate::assets::{ICON, SCRIPT, STYLES, THEME};
use crate::navigation;
use crate::visit::Visit;

/// A page without its surroundings.
pub(crate) struct Page<'a> {
    /// Its name, for the window.
    pub(crate) title: &'a str,
    /// What stands beside it.
    pub(crate) aside: Option<Markup>,
    /// Its content, with its only `h1`.
    pub(crate) main: Markup,
}

/// A page of somebody who is signed in, without its surroundings.
pub(crate) struct Screen<'a> {
    pub(crate) visit: &'a Visit,
    /// Its name, for the window.
    pub(crate) title: &'a str,
    /// The pages above it, with their addresses.
    pub(crate) above: &'a [(&'a str, String)],
    /// Its content, with its only `h1`. What bears `data-live` and an id is kept up to date.
    pub(crate) main: Markup,
}

/// A page with nothing around it, since its reader may be led nowhere.
pub(crate) struct Bare<'a> {
    /// Its name, for the window.
    pub(crate) title: &'a str,
    /// Its content, with its only `h1`.
    pub(crate) main: Markup,
}

impl Bare<'_> {
    pub(crate) fn render(&self) -> Markup {
        document(
            self.title,
            &html! { main.bare #main tabindex="-1" { (self.main) } },
        )
    }
}

impl Page<'_> {
    pub(crate) fn render(&self) -> Markup {
        let body = html! {
            (header(self.aside.is_some()))
            div.frame.with-aside[self.aside.is_some()] {
                main #main tabindex="-1" { (self.main) }
                // After the content, where small screens have it; wide ones show it beside.
                @if let Some(aside) = &self.aside {
                    (aside)
                }
            }
        };
        document(self.title, &body)
    }
}

impl Screen<'_> {
    pub(crate) fn render(&self) -> Markup {
        let visit = self.visit;
        let body = html! {
            header.top {
                (brand(visit.home()))
                (navigation::integrations(visit))
                div.end { (theme_switch()) (navigation::account(visit)) }
            }
            div.room {
                (navigation::main(visit))
                main #main tabindex="-1" {
                    @if !self.above.is_empty() {
                        nav.above aria-label="Breadcrumbs" { ol {
                            @for (name, path) in self.above { li { a href=(path) { (name) } } }
                            li aria-current="page" { (self.title) }
                        } }
                    }
                    @if let Some(flash) = &visit.flash { div.notice role="status" { p { (flash) } } }
                    (self.main)
                }
            }
        };
        document(self.title, &body)
    }
}

fn document(title: &str, body: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Postrider" }
                link rel="icon" href=(ICON.path());
                script src=(THEME.path()) {}
                link rel="stylesheet" href=(STYLES.path());
                script src=(SCRIPT.path()) defer {}
            }
            body {
                a.skip href="#main" { "Skip to content" }
                (body)
                footer { p { "Postrider " (env!("CARGO_PKG_VERSION")) } }
            }
        }
    }
}

fn header(has_aside: bool) -> Markup {
    html! {
        header.top {
            (brand("/documentation"))
            nav aria-label="Main" {
                a href="/" { "Dashboard" }
                a href="/documentation" { "Reference" }
                a href="/documentation/list_items" { "Vocabularies" }
                a href="/documentation/openapi.json" { "OpenAPI" }
                @if has_aside { a.to-aside href="#contents" { "Routes" } }
            }
            (theme_switch())
        }
    }
}

fn brand(path: &str) -> Markup {
    html! {
        a.brand href=(path) {
            svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true" {
                path d="M2 5.5 10 11l8-5.5V15H2z" fill="currentColor" {}
                path d="M2.5 3h15L10 8.5z" fill="currentColor" opacity=".55" {}
            }
            span { "Postrider" }
        }
    }
}

fn theme_switch() -> Markup {
    html! {
        button.theme type="button" hidden aria-label="Theme: system" {
            span aria-hidden="true" { "◐" }
        }
    }
}
