//! What is wrong with a declaration itself, for the test that goes through all routes.

use std::collections::HashSet;

use crate::check;
use crate::fault::Faults;
use crate::json;
use crate::param::Param;
use crate::path::Path;
use crate::route::Route;
use crate::status;

impl Route {
    /// Everything that would mislead readers of the reference page or callers of the route; empty
    /// for a sound one.
    ///
    /// Meant for tests: nothing here is needed to answer a request.
    pub fn flaws(&self) -> Vec<String> {
        let mut flaws = Vec::new();
        for word in [self.service, self.action] {
            if word.is_empty()
                || !word
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
            {
                flaws.push(format!("\"{word}\" is no word of a path"));
            }
        }
        if self.title.is_empty() || self.purpose.is_empty() {
            flaws.push("title or purpose is empty".to_owned());
        }
        for own in self.own_statuses {
            let is_implied = self.token().is_some() && status::AUTHENTICATED.contains(own);
            if is_implied || status::COMMON.contains(own) {
                flaws.push(format!("{} need not be declared", own.slug));
            }
        }
        match self.data {
            Some(data) => data.flaws(&mut flaws),
            None => flaws.push("what it answers is not declared".to_owned()),
        }
        params(self.params, Path::Base(""), &mut flaws);
        self.check_example(&mut flaws);
        flaws
    }

    /// The example must be one that the route accepts.
    fn check_example(&self, flaws: &mut Vec<String>) {
        if let Err(error) = json::verify(self.example) {
            flaws.push(format!("the example is not sound JSON: {error}"));
        }
        let Some(members) = json::members(self.example) else {
            flaws.push("the example is no object".to_owned());
            return;
        };
        let faults = Faults::new(self.params);
        check::object(self.params, &members, Path::Base(""), &faults);
        for fault in faults
            .failure()
            .into_iter()
            .flat_map(|failure| failure.errors)
        {
            flaws.push(format!("the example's {}: {}", fault.attr, fault.message));
        }
        if let Some(token) = self.token()
            && !members.iter().any(|member| member.name == token.name)
        {
            flaws.push(format!("the example has no {}", token.name));
        }
    }
}

fn params(params: &'static [Param], place: Path<'_>, flaws: &mut Vec<String>) {
    let mut names = HashSet::new();
    for param in params {
        let path = Path::Name(&place, param.name);
        if !names.insert(param.name) {
            flaws.push(format!("{path} is declared twice"));
        }
        if param.position == 0 {
            flaws.push(format!("{path} has no position"));
        }
        if param.description.is_empty() {
            flaws.push(format!("{path} has no description"));
        }
        self::params(param.kind.children(), path, flaws);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::param::TOKEN;
    use crate::shape::Shape;

    #[test]
    fn a_sound_route_has_no_flaws() {
        const ROUTE: Route = Route::post("orders", "show")
            .about("Orders Show", "Shows one order.")
            .params(&[
                TOKEN,
                Param::integer("id")
                    .at(200)
                    .required()
                    .about("Which order."),
            ])
            .data(&Shape::Null)
            .example(r#"{"token": "…", "id": 7}"#);
        assert_eq!(ROUTE.flaws(), Vec::<String>::new());
    }

    #[test]
    fn every_flaw_is_found() {
        const CHILDREN: &[Param] = &[Param::string("street").at(100)];
        const ROUTE: Route = Route::post("Orders", "show")
            .params(&[
                TOKEN,
                TOKEN,
                Param::hash("address", CHILDREN).about("Where."),
                Param::integer("id")
                    .at(200)
                    .required()
                    .about("Which order."),
            ])
            .answers(&[&status::INVALID_PARAM])
            .example(r#"{"address": {"stret": "Main"}, "id": 1}"#);
        assert_eq!(
            ROUTE.flaws(),
            [
                "\"Orders\" is no word of a path",
                "title or purpose is empty",
                "invalid-param need not be declared",
                "what it answers is not declared",
                "token is declared twice",
                "address has no position",
                "address.street has no description",
                "the example's address.stret: unknown parameter; did you mean \"street\"?",
                "the example has no token",
            ]
        );
    }
}
