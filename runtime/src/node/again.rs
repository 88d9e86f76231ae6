//! Offering an event of the past once more.
//!
//! Law: it enters as a new one, in an execution of its own; what the old one was is over.

use super::Node;
use crate::{
    error::DeliveryError,
    event::{IngressEvent, InvokeAs},
    id::ExecId,
};

/// Why an event was not offered once more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OfferAgainError {
    /// Only what came from this host can be: a peer's place in its stream is taken, and it may send
    /// anew.
    #[error("the event did not come from this host, wanted one that did")]
    NotOwn(Box<IngressEvent>),
    /// The mailbox did not take it.
    #[error(transparent)]
    Refused(#[from] DeliveryError),
}

impl Node {
    /// Offers an event that was given up, as when what it fell over was mended.
    pub fn offer_again(&mut self, event: IngressEvent) -> Result<ExecId, OfferAgainError> {
        let weight = event.weight();
        let admitted = match event {
            IngressEvent::AppEvent { input, value, .. } => {
                self.admit(weight, |exec| IngressEvent::AppEvent { exec, input, value })
            }
            IngressEvent::Invoke { module, inputs, .. } => {
                self.admit(weight, |exec| IngressEvent::Invoke { exec, module, inputs })
            }
            // Asked as before: if it was answered, it is answered again.
            IngressEvent::InvokeAs(asked) => self.admit(weight, |exec| {
                IngressEvent::InvokeAs(Box::new(InvokeAs { exec, ..*asked }))
            }),
            other => return Err(OfferAgainError::NotOwn(Box::new(other))),
        };
        Ok(admitted?)
    }
}
