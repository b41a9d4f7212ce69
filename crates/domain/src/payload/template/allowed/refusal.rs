//! Why a template is not taken: what it holds, and what to write instead.

use minijinja::machinery::Span;

use crate::payload::template::TemplateFault;

/// What no template may hold.
#[derive(Clone, Copy)]
pub(super) enum Refusal<'t> {
    SetBlock,
    FilterBlock,
    AutoEscape,
    Do,
    Recursion,
    Depth,
    Taken(&'t str),
    Target,
    NamedList,
    NamedMap,
    Loop,
    Slice,
    Key,
    Concat,
    Product,
    In,
    Comparison,
    Arithmetic,
    Subscript,
    Call,
    Splat,
}

impl Refusal<'_> {
    /// The fault, at the place where it begins.
    pub(super) fn at(self, span: Span) -> Result<(), TemplateFault> {
        Err(TemplateFault {
            line: Some(span.start_line.into()),
            message: self.sentence(),
        })
    }

    fn sentence(self) -> String {
        let sentence = match self {
            Refusal::Taken(name) => {
                return format!("`{name}` has a meaning already; choose another name");
            }
            Refusal::SetBlock => "cannot hold a `set` block; use {% set a = … %}",
            Refusal::FilterBlock => "cannot hold a `filter` block; use {{ a|filter }}",
            Refusal::AutoEscape => "cannot switch `autoescape`; print JSON with the filter safe",
            Refusal::Do => "cannot hold `do`; what has no result has no use",
            Refusal::Recursion => "cannot hold a `recursive` loop; put one loop inside another",
            Refusal::Depth => "is too long a chain; work out a part of it with `set` first",
            Refusal::Target => "can set names only, such as {% set a = … %}",
            Refusal::NamedList => {
                "cannot name a list of its own before a filter has weighed it; write [a, b]|list"
            }
            Refusal::NamedMap => {
                "cannot name a map of its own before it is weighed; write dict(key=a)"
            }
            Refusal::Loop => "cannot use `loop` but for what it tells, such as loop.first",
            Refusal::Slice => "can slice only what a filter gives, by numbers; write (a|list)[:3]",
            Refusal::Key => {
                "cannot have keys in a map that are worked out; write {\"key\": a}, or the JSON yourself"
            }
            Refusal::Concat => "cannot join texts with `~`; write [\"a\", b]|join",
            Refusal::Product => {
                "cannot multiply before both sides are numbers; write a|float * b|float"
            }
            Refusal::In => {
                "cannot look for such a value with `in`; write a|string in b, or a is in(b)"
            }
            Refusal::Comparison => {
                "cannot compare two values of which none is plain; write a is eq(b), or lt, gt and so on"
            }
            Refusal::Arithmetic => {
                "cannot reckon before one side is a number or text; write a|float + b"
            }
            Refusal::Subscript => {
                "can have a text or a number up to 1000 in brackets; write (a|list)[b|int] for others, and a|last"
            }
            Refusal::Call => "can call nothing but dict() and range(); filters do the rest",
            Refusal::Splat => "cannot spread arguments with `*`; give them one by one",
        };
        sentence.to_owned()
    }
}
