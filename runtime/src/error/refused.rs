//! A refusal at the door, as it is told inside the Node.
//!
//! Law: every refusal has a kind, so none goes untold for want of a word.

use super::{AppIngressKind, DeliveryError};

impl AppIngressKind {
    /// What a caller was told, without the names that its source says already; and the bytes.
    pub fn of(error: &DeliveryError) -> (Self, u64) {
        match error {
            DeliveryError::OversizePayload { byte_count, cap } => {
                (Self::PerItemCapExceeded { cap: *cap }, *byte_count)
            }
            DeliveryError::BudgetExceeded { byte_count, budget_remaining } => {
                (Self::BudgetExceeded { budget_remaining: *budget_remaining }, *byte_count)
            }
            DeliveryError::AllocationFailed(reason) => (Self::AllocationFailed(*reason), 0),
            DeliveryError::TooManyInputs { count, cap } => {
                (Self::TooManyInputs { count: *count, cap: *cap }, 0)
            }
            DeliveryError::UnknownModule { .. } => (Self::UnknownModule, 0),
            DeliveryError::UnknownInput { .. } => (Self::UnknownInput, 0),
            DeliveryError::DuplicateInput { .. } => (Self::DuplicateInput, 0),
            DeliveryError::TypeMismatch { .. } => (Self::TypeMismatch, 0),
            DeliveryError::IngressFull { cap } => (Self::IngressFull { cap: *cap }, 0),
            DeliveryError::TooManyExecutions { cap } => {
                (Self::IngressFull { cap: u64::from(*cap) }, 0)
            }
            DeliveryError::IngressClosed => (Self::IngressClosed, 0),
            DeliveryError::Denied(_) => (Self::Denied, 0),
            DeliveryError::InvalidEnvelope(_)
            | DeliveryError::EnvelopeOverCaps(_)
            | DeliveryError::Misdirected { .. } => (Self::InvalidEnvelope, 0),
            DeliveryError::IdsExhausted(_) => (Self::IdsExhausted, 0),
        }
    }

    /// Its short name: refusals of one name and source are told as one.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::PerItemCapExceeded { .. } => "per_item_cap_exceeded",
            Self::BudgetExceeded { .. } => "budget_exceeded",
            Self::AllocationFailed(_) => "allocation_failed",
            Self::TooManyInputs { .. } => "too_many_inputs",
            Self::UnknownModule => "unknown_module",
            Self::UnknownInput => "unknown_input",
            Self::DuplicateInput => "duplicate_input",
            Self::TypeMismatch => "type_mismatch",
            Self::IngressFull { .. } => "ingress_full",
            Self::IngressClosed => "ingress_closed",
            Self::InvalidEnvelope => "invalid_envelope",
            Self::Denied => "denied",
            Self::IdsExhausted => "ids_exhausted",
        }
    }
}
