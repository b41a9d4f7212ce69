//! What all pages have around their own content.

use maud::{DOCTYPE, Markup, html};

use crate::assets::{ICON, SCRIPT, STYLES, THEME};

/// A page without its surroundings.
pub(crate) struct Page<'a> {
    /// Its name, for the window.
    pub(crate) title: &'a str,
    /// What stands beside it.
    pub(crate) aside: Option<Markup>,
    /// Its content, with its only `h1`.
    pub(crate) main: Markup,
}

impl Page<'_> {
    pub(crate) fn render(&self) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) " · Postrider" }
                    link rel="icon" href=(ICON.path());
                    script src=(THEME.path()) {}
                    link rel="stylesheet" href=(STYLES.path());
                    script src=(SCRIPT.path()) defer {}
                }
                body {
                    a.skip href="#main" { "Skip to content" }
                    (header(self.aside.is_some()))
                    div.frame.with-aside[self.aside.is_some()] {
                        main #main tabindex="-1" { (self.main) }
                        // After the content, where small screens have it; wide ones show it beside.
                        @if let Some(aside) = &self.aside {
                            (aside)
                        }
                    }
                    footer { p { "Postrider " (env!("CARGO_PKG_VERSION")) } }
                }
            }
        }
    }
}

fn header(has_aside: bool) -> Markup {
    html! {
        header.top {
            a.brand href="/documentation" {
                svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true" {
                    path d="M2 5.5 10 11l8-5.5V15H2z" fill="currentColor" {}
                    path d="M2.5 3h15L10 8.5z" fill="currentColor" opacity=".55" {}
                }
                span { "Postrider" }
            }
            nav aria-label="Main" {
                a href="/documentation" { "Reference" }
                a href="/documentation/list_items" { "Vocabularies" }
                a href="/documentation/openapi.json" { "OpenAPI" }
                @if has_aside { a.to-aside href="#contents" { "Routes" } }
            }
            button.theme type="button" hidden aria-label="Theme: system" {
                span aria-hidden="true" { "◐" }
            }
        }
    }
}
