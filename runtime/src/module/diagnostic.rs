//! What is wrong with a program, said all at once.
//!
//! Law: every mistake names its module and the value, op, port or slot in it, and is told once, by
//! the step that answers for it.

use std::fmt;

use super::problem::Problem;

/// The steps of the compiler, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Brings together what was authored and what is bound.
    Record,
    /// Checks the form of every body and puts its ops in dataflow order.
    Validate,
    /// Gives every value its type.
    Infer,
    /// Decides where each op runs.
    Place,
    /// Finds what slots, ops and calls stand for.
    Link,
    /// Writes the program down and stamps it.
    Seal,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Record => "record",
            Self::Validate => "validate",
            Self::Infer => "infer",
            Self::Place => "place",
            Self::Link => "link",
            Self::Seal => "seal",
        })
    }
}

/// One mistake and where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// The step that found it.
    pub step: Step,
    /// The module, empty if it is about the program.
    pub module: String,
    /// The value, op, port or slot, with `bootstrap/` before it where it belongs to a bootstrap;
    /// empty if it is about the whole module.
    pub subject: String,
    /// What is wrong.
    pub problem: Problem,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { step, module, subject, problem } = self;
        match (module.as_str(), subject.as_str()) {
            ("", "") => write!(f, "{step}: {problem}"),
            ("", place) | (place, "") => write!(f, "{step}: {place}: {problem}"),
            _ => write!(f, "{step}: {module}/{subject}: {problem}"),
        }
    }
}

/// Mistakes in the order in which they were found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Adds a mistake.
    pub fn report(
        &mut self,
        step: Step,
        module: impl Into<String>,
        subject: impl Into<String>,
        problem: Problem,
    ) {
        let (module, subject) = (module.into(), subject.into());
        self.found.push(Diagnostic { step, module, subject, problem });
    }

    /// Whether nothing is wrong so far.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The mistakes.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.found.iter()
    }

    /// Takes over mistakes that were found elsewhere.
    pub(crate) fn append(&mut self, others: Self) {
        self.found.extend(others.found);
    }

    /// `good`, unless something is wrong.
    pub(crate) fn or<T>(self, good: T) -> Result<T, Self> {
        if self.found.is_empty() { Ok(good) } else { Err(self) }
    }
}

impl std::error::Error for Diagnostics {}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.found.as_slice() {
            [] => f.write_str("no mistakes"),
            [one] => write!(f, "{one}"),
            many => {
                write!(f, "{} mistakes", many.len())?;
                many.iter().try_for_each(|one| write!(f, "\n  {one}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_read_as_a_list_and_one_as_a_line() {
        let mut found = Diagnostics::default();
        found.report(Step::Record, "", "", Problem::NoTarget);
        assert_eq!(found.to_string(), "record: the program has no target");
        found.report(Step::Validate, "Count", "n", Problem::Untyped);
        found.report(Step::Link, "", "counter", Problem::Other("no room".into()));
        let list = "3 mistakes\n  record: the program has no target\n  \
                    validate: Count/n: the input declares no type\n  link: counter: no room";
        assert_eq!(found.to_string(), list);
    }
}
