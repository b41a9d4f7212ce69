//! A form is parameters of a route, drawn as fields: their labels, help, possible values and limits are the declaration's, and
//! what the API refuses stands below the field that is to blame.
//!
//! ```ignore
//! Form::new(route, &action, "Save").fields(&[field("name"), field("callback_url")]).draw(&visit)
//! let parameters = form::parameters(route, &["name", "callback_url"], &posted.fields, Empty::Absent);
//! ```
//!
//! A member of a hash is named with a dot, as faults name it: `filters.state`.

mod button;
mod draw;
mod read;

pub(crate) use button::button;
pub(crate) use draw::{input_id, label};
pub(crate) use read::{Empty, parameters, value};

use contract::{Param, Route};
use maud::Markup;
use serde_json::Value;

use crate::posted::Fields;
use crate::refusal::Refusal;

/// A field of a form, by the name of its parameter.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    name: &'static str,
    label: Option<&'static str>,
    /// Values to choose from with their words, where the declaration knows none: those of a vocabulary.
    options: Vec<(String, String)>,
    /// `password`, `email` and the like; that of the parameter's kind when absent. Given, even a long text is one line.
    input_type: Option<&'static str>,
    autocomplete: Option<&'static str>,
    hint: Option<&'static str>,
    /// The form wants it although the route can do without.
    demanded: bool,
    /// Where another form of the page has a field of that name.
    id: Option<&'static str>,
}

/// A field that looks as its parameter is declared.
pub(crate) fn field(name: &'static str) -> Field {
    Field {
        name,
        label: None,
        options: Vec::new(),
        input_type: None,
        autocomplete: None,
        hint: None,
        demanded: false,
        id: None,
    }
}

impl Field {
    /// Another label than the parameter's name.
    pub(crate) fn label(mut self, label: &'static str) -> Field {
        self.label = Some(label);
        self
    }

    /// What can be chosen: values with their words.
    pub(crate) fn options(mut self, options: Vec<(String, String)>) -> Field {
        self.options = options;
        self
    }

    /// The type of the input.
    pub(crate) fn input_type(mut self, input_type: &'static str) -> Field {
        self.input_type = Some(input_type);
        self
    }

    /// What a password manager may put in.
    pub(crate) fn autocomplete(mut self, autocomplete: &'static str) -> Field {
        self.autocomplete = Some(autocomplete);
        self
    }

    /// Not optional in this form.
    pub(crate) fn demanded(mut self) -> Field {
        self.demanded = true;
        self
    }

    /// Another id, where another form of the page has a field of that name.
    pub(crate) fn id(mut self, id: &'static str) -> Field {
        self.id = Some(id);
        self
    }

    /// The id of its input.
    fn input_id(&self) -> String {
        self.id.map_or_else(|| input_id(self.name), str::to_owned)
    }

    /// Another help than the parameter's description; empty for none.
    pub(crate) fn hint(mut self, hint: &'static str) -> Field {
        self.hint = Some(hint);
        self
    }
}

/// A form to be drawn.
pub(crate) struct Form<'f> {
    route: &'static Route,
    action: &'f str,
    submit: &'f str,
    fields: Vec<Field>,
    hidden: Vec<(&'f str, String)>,
    /// What stands in the fields: that of the record, or what was sent.
    values: Values<'f>,
    refusal: Option<&'f Refusal>,
}

#[derive(Clone, Copy)]
enum Values<'f> {
    None,
    Record(&'f Value),
    Sent(&'f Fields),
}

impl<'f> Form<'f> {
    /// A form for a route, sent to a page.
    pub(crate) fn new(route: &'static Route, action: &'f str, submit: &'f str) -> Form<'f> {
        Form {
            route,
            action,
            submit,
            fields: Vec::new(),
            hidden: Vec::new(),
            values: Values::None,
            refusal: None,
        }
    }

    /// Its fields, in their order.
    pub(crate) fn fields(mut self, fields: impl IntoIterator<Item = Field>) -> Form<'f> {
        self.fields.extend(fields);
        self
    }

    /// Something that goes along unseen.
    pub(crate) fn hidden(mut self, name: &'f str, value: impl Into<String>) -> Form<'f> {
        self.hidden.push((name, value.into()));
        self
    }

    /// Begins with the members of a record.
    pub(crate) fn of_record(mut self, record: &'f Value) -> Form<'f> {
        self.values = Values::Record(record);
        self
    }

    /// Shows again what was sent, with what is to be mended.
    pub(crate) fn refused(mut self, sent: &'f Fields, refusal: Option<&'f Refusal>) -> Form<'f> {
        self.values = Values::Sent(sent);
        self.refusal = refusal;
        self
    }

    /// The form of somebody who is signed in.
    pub(crate) fn draw(self, visit: &crate::visit::Visit) -> Markup {
        draw::form(&self, Some(&visit.form_token))
    }

    /// The form of somebody who is not.
    pub(crate) fn draw_for_visitor(self) -> Markup {
        draw::form(&self, None)
    }
}

/// The parameter of that name, through hashes.
pub(crate) fn param(params: &'static [Param], name: &str) -> Option<&'static Param> {
    let (first, rest) = name
        .split_once('.')
        .map_or((name, None), |(first, rest)| (first, Some(rest)));
    let found = params.iter().find(|param| param.name == first)?;
    match rest {
        Some(rest) => param(found.kind.children(), rest),
        None => Some(found),
    }
}
