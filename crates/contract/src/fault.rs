//! Single faults, and the list in which the faults of one request gather.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::failure::Failure;
use crate::param::Param;

/// The message of a fault that is only an absence.
const MISSING: &str = "missing";

/// One thing that is wrong with a request, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The parameter, nested as `filters.status[2]`, counting from 0.
    pub attr: String,
    /// What is wrong with it; never repeats a secret.
    pub message: String,
}

impl Fault {
    /// A fault of the named parameter.
    pub fn new(attr: impl Into<String>, message: impl Into<String>) -> Self {
        Fault {
            attr: attr.into(),
            message: message.into(),
        }
    }

    /// The absence of the named parameter.
    pub fn missing(attr: impl Into<String>) -> Self {
        Fault::new(attr, MISSING)
    }
}

/// Where the faults of one request (or of one item of a batch) gather. Shared by an input and the
/// hashes within it, so that no fault found in a nested place can be forgotten.
pub(crate) struct Faults {
    /// The parameters of the route: faults are reported in their order.
    params: &'static [Param],
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    missing: Vec<Fault>,
    invalid: Vec<Fault>,
}

impl Faults {
    pub(crate) fn new(params: &'static [Param]) -> Arc<Self> {
        Arc::new(Faults {
            params,
            found: Mutex::default(),
        })
    }

    /// An empty list for one item of a batch of the same route.
    pub(crate) fn apart(&self) -> Arc<Self> {
        Faults::new(self.params)
    }

    pub(crate) fn missing(&self, attr: impl ToString) {
        self.found().missing.push(Fault::missing(attr.to_string()));
    }

    pub(crate) fn invalid(&self, attr: impl ToString, message: impl Into<String>) {
        self.found()
            .invalid
            .push(Fault::new(attr.to_string(), message));
    }

    /// Everything that is missing, if anything is.
    pub(crate) fn missing_param(&self) -> Option<Failure> {
        let missing = self.in_order(&self.found().missing);
        (!missing.is_empty()).then(|| Failure::missing_param(missing))
    }

    /// Everything that is missing, or else everything that is bad, if there is any.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.missing_param().or_else(|| {
            let invalid = self.in_order(&self.found().invalid);
            (!invalid.is_empty()).then(|| Failure::invalid_param(invalid))
        })
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        // The lists are whole after every push, so a panic elsewhere leaves nothing half done.
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// By position, then by place, each only once: the answer to the same request is always the
    /// same.
    fn in_order(&self, faults: &[Fault]) -> Vec<Fault> {
        let mut sorted = faults.to_vec();
        sorted.sort_by_cached_key(|fault| {
            (
                rank(self.params, &fault.attr),
                fault.attr.clone(),
                fault.message.clone(),
            )
        });
        sorted.dedup();
        sorted
    }
}

/// Where a place comes among the declared ones: per level the position and the order of
/// declaration, or the index. What is not declared comes last.
fn rank(mut params: &'static [Param], attr: &str) -> Vec<(u32, usize)> {
    let mut ranks = Vec::new();
    for segment in attr.split('.') {
        let (name, indexes) = segment.split_once('[').unwrap_or((segment, ""));
        match params
            .iter()
            .enumerate()
            .find(|(_, param)| param.name == name)
        {
            Some((declared, param)) => {
                ranks.push((param.position, declared));
                params = param.kind.children();
            }
            None => {
                ranks.push((u32::MAX, usize::MAX));
                params = &[];
            }
        }
        let numbers = indexes
            .split(['[', ']'])
            .filter_map(|index| index.parse().ok());
        ranks.extend(numbers.map(|index: usize| (0, index)));
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHILDREN: &[Param] = &[Param::string("z").at(1), Param::string("a").at(2)];
    const PARAMS: &[Param] = &[
        Param::string("late").at(900),
        Param::array("list", &crate::Kind::STRING).at(200),
        Param::hash("hash", CHILDREN).at(200),
        Param::string("early").at(100),
    ];

    #[test]
    fn faults_come_by_position_then_place_and_only_once() {
        let faults = Faults::new(PARAMS);
        let recorded = [
            "unknown", "late", "hash.a", "list[10]", "list[9]", "early", "hash.z", "list", "hash",
            "late",
        ];
        for attr in recorded {
            faults.invalid(attr, "bad");
        }
        faults.invalid("early", "also bad");
        let failure = faults.failure().expect("there are faults");
        let order: Vec<&str> = failure
            .errors
            .iter()
            .map(|fault| fault.attr.as_str())
            .collect();
        assert_eq!(
            order,
            [
                "early", "early", "list", "list[9]", "list[10]", "hash", "hash.z", "hash.a",
                "late", "unknown"
            ]
        );
    }

    #[test]
    fn what_is_missing_is_said_before_what_is_bad() {
        let faults = Faults::new(PARAMS);
        assert!(faults.failure().is_none());
        faults.invalid("early", "bad");
        faults.missing("late");
        let failure = faults.failure().expect("there are faults");
        assert_eq!(failure.status.slug, "missing-param");
        assert_eq!(failure.errors, [Fault::missing("late")]);
    }
}
