//! What a host is told when the Node does not take what it was given.
//!
//! Law: a refusal says what was wanted and what was there, and it had no effect. The same refusals
//! are heard inside the Node as [`AppIngressError`], coalesced by source and kind.
//!
//! ```
//! use samsara_runtime::error::{AppIngressError, AppIngressKind, AppIngressSource};
//!
//! let refused = AppIngressError {
//!     source: AppIngressSource::AppEvent { module: "Sum".into(), input: "left".into() },
//!     byte_count: 5_000,
//!     kind: AppIngressKind::PerItemCapExceeded { cap: 4_096 },
//! };
//! assert_eq!(refused.to_string(), "event for Sum/left: 5000 bytes, the cap is 4096");
//! ```

mod denial;
mod op;
mod refused;

use std::fmt;
use std::sync::Arc;

pub use self::denial::Denial;
pub use self::op::{OpError, OpErrorKind};

use samsara_ingress::Refusal;
use samsara_proto::PeerId;

use crate::id::{CommandId, IdsExhausted};
use crate::reserve::AllocFailReason;

/// Bytes of the detail text of a failed completion: room for an error chain, not for a dump.
pub const COMPLETION_DETAIL_CAP: usize = 4 * 1024;

/// Why a delivery, an invoke or an envelope was refused at the door.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeliveryError {
    /// No module bears this name.
    #[error("no module {module:?}, there are {available:?}")]
    UnknownModule {
        /// The name that was asked for.
        module: String,
        /// The names there are.
        available: Vec<String>,
    },
    /// The module has no such input.
    #[error("module {module:?} has no input {input:?}, it has {available:?}")]
    UnknownInput {
        /// The module that was found.
        module: String,
        /// The input that was asked for.
        input: String,
        /// The inputs there are.
        available: Vec<String>,
    },
    /// One invoke names an input twice.
    #[error("input {module}/{input} is given twice")]
    DuplicateInput {
        /// The module.
        module: String,
        /// The input.
        input: String,
    },
    /// The value is not of the input's declared type.
    #[error("input {module}/{input} takes {expected}, got {got}")]
    TypeMismatch {
        /// The module.
        module: String,
        /// The input.
        input: String,
        /// The declared type.
        expected: String,
        /// What was delivered.
        got: String,
    },
    /// One item is larger than its cap.
    #[error("{byte_count} bytes, the cap is {cap}")]
    OversizePayload {
        /// Bytes offered.
        byte_count: u64,
        /// Bytes allowed for one item.
        cap: u64,
    },
    /// One invoke names more inputs than its cap.
    #[error("{count} inputs, the cap is {cap}")]
    TooManyInputs {
        /// Inputs offered.
        count: u64,
        /// Inputs allowed.
        cap: u64,
    },
    /// The bytes waiting in the mailbox leave no room for these.
    #[error("{byte_count} bytes, the budget has {budget_remaining} left")]
    BudgetExceeded {
        /// Bytes offered.
        byte_count: u64,
        /// Bytes that the budget had left.
        budget_remaining: u64,
    },
    /// There was no memory for the copy.
    #[error("no memory to take the payload")]
    AllocationFailed(#[from] AllocFailReason),
    /// The mailbox holds as many items as it may.
    #[error("the ingress is full, its capacity is {cap}")]
    IngressFull {
        /// Items that the mailbox holds at most.
        cap: u64,
    },
    /// An op asks for one execution more than may be under way.
    #[error("no room for more executions, the cap is {cap}")]
    TooManyExecutions {
        /// Executions that may be under way.
        cap: u32,
    },
    /// The Node takes nothing any more.
    #[error("the ingress is closed")]
    IngressClosed,
    /// The bytes are not an envelope that this Node accepts.
    #[error("invalid envelope: {0}")]
    InvalidEnvelope(#[from] samsara_proto::DecodeError),
    /// The envelope, which came decoded, exceeds a cap.
    #[error("envelope over its caps")]
    EnvelopeOverCaps(#[from] samsara_proto::EncodeError),
    /// The envelope bears another id than the transport proved, or is meant for another Node.
    #[error("the envelope names another {field}")]
    Misdirected {
        /// `source` or `destination`.
        field: &'static str,
    },
    /// The peer is not heard.
    #[error(transparent)]
    Denied(#[from] Denial),
    /// The Node has used up its execution ids.
    #[error("no execution can be admitted")]
    IdsExhausted(#[from] IdsExhausted),
}

/// A refusal at the door, as observers inside the Node hear of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AppIngressError {
    /// What was refused.
    pub source: AppIngressSource,
    /// Its bytes.
    pub byte_count: u64,
    /// Why.
    pub kind: AppIngressKind,
}

/// What was refused at the door.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AppIngressSource {
    /// One input of one module.
    AppEvent {
        /// The module.
        module: Arc<str>,
        /// The input.
        input: Arc<str>,
    },
    /// Several inputs at once.
    Invoke {
        /// The module.
        module: Arc<str>,
        /// How many inputs were given.
        input_count: u64,
    },
    /// The result of a parked op.
    Completion {
        /// The command that the op waits for.
        command: CommandId,
    },
    /// An envelope of a peer.
    Envelope {
        /// The peer.
        peer: Box<PeerId>,
    },
}

/// Why something was refused at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AppIngressKind {
    /// The item is larger than its cap.
    PerItemCapExceeded {
        /// Bytes allowed.
        cap: u64,
    },
    /// The mailbox has no room for its bytes.
    BudgetExceeded {
        /// Bytes that the budget had left.
        budget_remaining: u64,
    },
    /// There was no memory for the copy.
    AllocationFailed(AllocFailReason),
    /// One invoke names more inputs than its cap.
    TooManyInputs {
        /// Inputs offered.
        count: u64,
        /// Inputs allowed.
        cap: u64,
    },
    /// No module bears the name.
    UnknownModule,
    /// The module has no such input.
    UnknownInput,
    /// One invoke names an input twice.
    DuplicateInput,
    /// The value is not of the input's type.
    TypeMismatch,
    /// The mailbox holds as many items as it may.
    IngressFull {
        /// Items that it holds at most.
        cap: u64,
    },
    /// The Node takes nothing any more.
    IngressClosed,
    /// The bytes are not an envelope.
    InvalidEnvelope,
    /// The peer is not heard.
    Denied,
    /// The Node has used up its execution ids.
    IdsExhausted,
}

// Written by hand: the field `source` names a place in the program, not an error underneath.
impl std::error::Error for AppIngressError {}

impl fmt::Display for AppIngressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, byte_count, kind } = self;
        match kind {
            AppIngressKind::PerItemCapExceeded { cap } => {
                write!(f, "{source}: {byte_count} bytes, the cap is {cap}")
            }
            AppIngressKind::BudgetExceeded { budget_remaining } => {
                write!(f, "{source}: {byte_count} bytes, the budget has {budget_remaining} left")
            }
            AppIngressKind::AllocationFailed(reason) => write!(f, "{source}: {reason}"),
            AppIngressKind::TooManyInputs { count, cap } => {
                write!(f, "{source}: {count} inputs, the cap is {cap}")
            }
            AppIngressKind::IngressFull { cap } => {
                write!(f, "{source}: the ingress is full, its capacity is {cap}")
            }
            AppIngressKind::UnknownModule => write!(f, "{source}: there is no such module"),
            AppIngressKind::UnknownInput => write!(f, "{source}: there is no such input"),
            AppIngressKind::DuplicateInput => write!(f, "{source}: an input is given twice"),
            AppIngressKind::TypeMismatch => write!(f, "{source}: a value of another type"),
            AppIngressKind::IngressClosed => write!(f, "{source}: the ingress is closed"),
            AppIngressKind::InvalidEnvelope => write!(f, "{source}: not a valid envelope"),
            AppIngressKind::Denied => write!(f, "{source}: the peer is not heard"),
            AppIngressKind::IdsExhausted => write!(f, "{source}: no execution can be admitted"),
        }
    }
}

impl fmt::Display for AppIngressSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AppEvent { module, input } => write!(f, "event for {module}/{input}"),
            Self::Invoke { module, input_count } => {
                write!(f, "invoke of {module} with {input_count} inputs")
            }
            Self::Completion { command } => write!(f, "completion of command {command}"),
            Self::Envelope { peer } => write!(f, "envelope of {peer}"),
        }
    }
}

/// The text up to `cap` bytes, cut where a character ends.
///
/// ```
/// assert_eq!(samsara_runtime::error::cut_detail("größe", 3), "gr");
/// ```
pub fn cut_detail(text: &str, cap: usize) -> &str {
    let fits = |end: &usize| *end <= cap;
    let ends = text.char_indices().map(|(start, character)| start + character.len_utf8());
    text.get(..ends.take_while(fits).last().unwrap_or(0)).unwrap_or_default()
}

impl From<Refusal> for DeliveryError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::OverBudget { bytes, remaining } => {
                Self::BudgetExceeded { byte_count: bytes, budget_remaining: remaining }
            }
            Refusal::TooLarge { bytes, cap } => Self::OversizePayload { byte_count: bytes, cap },
            Refusal::Full { capacity } => Self::IngressFull { cap: capacity as u64 },
            Refusal::OverShare { items, .. } => Self::IngressFull { cap: items as u64 },
            Refusal::TooManyPeers { cap } => Self::IngressFull { cap: cap as u64 },
            Refusal::Blocked => Self::Denied(Denial::Blocklisted),
            Refusal::NotAllowed => Self::Denied(Denial::NotAllowlisted),
            _ => Self::IngressClosed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_is_cut_between_characters_and_never_longer_than_the_cap() {
        let text = "aé漢🦀";
        let cuts: Vec<&str> = (0..=11).map(|cap| cut_detail(text, cap)).collect();
        assert_eq!(
            cuts,
            ["", "a", "a", "aé", "aé", "aé", "aé漢", "aé漢", "aé漢", "aé漢", text, text]
        );
        assert_eq!(cut_detail(text, usize::MAX), text);
    }

    #[test]
    fn a_refusal_names_what_was_wanted_and_what_was_there() {
        let error = DeliveryError::BudgetExceeded { byte_count: 9, budget_remaining: 4 };
        assert_eq!(error.to_string(), "9 bytes, the budget has 4 left");
        let command = CommandId::new(7).expect("not zero");
        let error = AppIngressError {
            source: AppIngressSource::Completion { command },
            byte_count: 9,
            kind: AppIngressKind::AllocationFailed(AllocFailReason::OutOfMemory { bytes: 9 }),
        };
        assert_eq!(
            error.to_string(),
            "completion of command 7: 9 bytes were wanted and memory is used up"
        );
    }
}
