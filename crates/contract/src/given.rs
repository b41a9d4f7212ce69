//! What an update says about one field.

/// A parameter of an update: left out, cleared, or set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Given<T> {
    /// Not in the body: the field stays as it is.
    #[default]
    Absent,
    /// `null`: the field is cleared.
    Null,
    /// A value: the field becomes it.
    Value(T),
}

impl<T> Given<T> {
    /// Turns the value, if there is one, into another.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Given<U> {
        match self {
            Given::Absent => Given::Absent,
            Given::Null => Given::Null,
            Given::Value(value) => Given::Value(change(value)),
        }
    }

    /// What the field is after the update, from what it was before.
    pub fn over(self, before: Option<T>) -> Option<T> {
        match self {
            Given::Absent => before,
            Given::Null => None,
            Given::Value(value) => Some(value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_keeps_null_clears_and_a_value_replaces() {
        let cases = [
            (Given::Absent, Some(1)),
            (Given::Null, None),
            (Given::Value(2), Some(2)),
        ];
        for (given, after) in cases {
            assert_eq!(given.over(Some(1)), after, "{given:?}");
            assert_eq!(
                given.map(|value| value * 10).over(Some(10)),
                after.map(|value| value * 10)
            );
        }
    }
}
