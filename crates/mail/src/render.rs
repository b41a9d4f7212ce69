//! The two forms of a mail's body. The HTML loads nothing from anywhere and counts nobody's reading.

use maud::{DOCTYPE, html};

use crate::words::Block;

/// The body as plain text.
pub(crate) fn text(blocks: &[Block]) -> String {
    let parts: Vec<String> = blocks.iter().map(text_of).collect();
    let mut text = parts.join("\n\n");
    text.push('\n');
    text
}

fn text_of(block: &Block) -> String {
    match block {
        Block::Text(text) | Block::Code(text) => text.clone(),
        Block::Link { label, url } => format!("{label}: {url}"),
        Block::Facts(facts) => {
            let lines = facts.iter().map(|(name, value)| format!("{name}: {value}"));
            lines.collect::<Vec<String>>().join("\n")
        }
    }
}

/// The body as HTML.
pub(crate) fn html(subject: &str, blocks: &[Block]) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (subject) }
            }
            body style="font-family: sans-serif; line-height: 1.5; max-width: 40em; margin: 1em auto; padding: 0 1em" {
                @for block in blocks {
                    @match block {
                        Block::Text(text) => p { (text) },
                        Block::Link { label, url } => p { a href=(url) { (label) } },
                        Block::Facts(facts) => table {
                            @for (name, value) in facts {
                                tr {
                                    th style="text-align: left; vertical-align: top; padding-right: 1em" { (name) }
                                    td { (value) }
                                }
                            }
                        },
                        Block::Code(code) => pre style="white-space: pre-wrap; overflow-wrap: anywhere" { (code) },
                    }
                }
            }
        }
    };
    page.into_string()
}
