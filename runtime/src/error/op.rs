//! Why an op failed.
//!
//! Law: the kind and the reason reach steps, bus and telemetry unchanged.

use std::{borrow::Cow, fmt};

use super::DeliveryError;

/// Why an op failed, sorted by who is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum OpErrorKind {
    /// The component said so.
    Failed,
    /// An argument was not of the op's type.
    BadArgument,
    /// The op gave other outputs than it declares.
    BadOutput,
    /// Nobody answered: its completion was dropped.
    Cancelled,
    /// Its deadline passed.
    TimedOut,
    /// A limit of the Node.
    Limit,
    /// The life that it waited in has ended.
    Lost,
    /// The request of a job cannot be written down, or not be read back.
    BadRequest,
    /// The host has not what a job asks for.
    MissingResource,
}

impl OpErrorKind {
    /// Its short name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::BadArgument => "bad_argument",
            Self::BadOutput => "bad_output",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed_out",
            Self::Limit => "limit",
            Self::Lost => "lost",
            Self::BadRequest => "bad_request",
            Self::MissingResource => "missing_resource",
        }
    }
}

/// Why an op failed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct OpError(Box<(OpErrorKind, Cow<'static, str>)>);

impl OpError {
    /// A failure of this kind, with its reason.
    pub fn new(kind: OpErrorKind, reason: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new((kind, reason.into())))
    }

    /// A component's own failure.
    pub fn failed(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::new(OpErrorKind::Failed, reason)
    }

    /// The kind.
    pub fn kind(&self) -> OpErrorKind {
        self.0.0
    }

    /// The same with at most so many bytes of its reason.
    pub(crate) fn cut(self, bytes: u64) -> Self {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        match self.reason().len() {
            len if len > bytes => {
                let reason = super::cut_detail(self.reason(), bytes).to_owned();
                Self::new(self.kind(), reason)
            }
            _ => self,
        }
    }

    /// The reason.
    pub fn reason(&self) -> &str {
        &self.0.1
    }
}

impl fmt::Debug for OpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind(), self.reason())
    }
}

impl fmt::Display for OpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for OpError {}

impl From<DeliveryError> for OpError {
    fn from(refused: DeliveryError) -> Self {
        let kind = match refused {
            DeliveryError::TooManyExecutions { .. } | DeliveryError::OversizePayload { .. } => {
                OpErrorKind::Limit
            }
            _ => OpErrorKind::Failed,
        };
        Self::new(kind, refused.to_string())
    }
}

impl From<&'static str> for OpError {
    fn from(reason: &'static str) -> Self {
        Self::failed(reason)
    }
}

impl From<String> for OpError {
    fn from(reason: String) -> Self {
        Self::failed(reason)
    }
}
