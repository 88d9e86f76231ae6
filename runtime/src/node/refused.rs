//! Refusals at the door, counted beside the mailbox until the next turn tells of them.
//!
//! Law: bounded. One turn brings at most one event for each source and kind, however many calls
//! were refused; a source that finds no place is only counted.

use std::collections::BTreeMap;

use samsara_ingress::Admitted;

use super::Node;
use crate::{
    error::{AppIngressError, AppIngressKind, AppIngressSource, DeliveryError, cut_detail},
    event::IngressEvent,
    module::NAME_BYTES,
};

/// What was refused since the last turn, and how much ever was.
#[derive(Debug, Default)]
pub(super) struct Refused {
    untold: BTreeMap<(AppIngressSource, &'static str), (AppIngressError, u64)>,
    pub(super) calls: u64,
    /// Those of them that no turn tells of.
    pub(super) unlisted: u64,
}

impl Refused {
    pub(super) fn is_telling(&self) -> bool {
        !self.untold.is_empty()
    }

    /// Moves what is to be told to the end of `events`.
    pub(super) fn tell(&mut self, events: &mut Vec<Admitted<IngressEvent>>) {
        let untold = std::mem::take(&mut self.untold);
        events.extend(untold.into_values().map(|(error, count)| {
            let event = IngressEvent::AppIngressError { error, count };
            Admitted { event, weight: 0 }
        }));
    }

    fn note(&mut self, error: AppIngressError, cap: u32) {
        let key = (error.source.clone(), error.kind.name());
        if let Some((last, count)) = self.untold.get_mut(&key) {
            *last = error;
            *count = count.saturating_add(1);
        } else if self.untold.len() < cap as usize {
            self.untold.insert(key, (error, 1));
        } else {
            self.unlisted = self.unlisted.saturating_add(1);
        }
    }
}

impl Node {
    /// Counts a refused call, and keeps it for the next turn if somebody listens.
    #[cold]
    pub(super) fn note_refusal(
        &mut self,
        error: &DeliveryError,
        source: impl FnOnce() -> AppIngressSource,
    ) {
        let refused = &mut self.beside().refused;
        refused.calls = refused.calls.saturating_add(1);
        let bus = self.services.bus.as_ref();
        if !bus.is_some_and(|bus| bus.hears("infra.ingress_error")) {
            return;
        }
        let (kind, byte_count) = AppIngressKind::of(error);
        let error = AppIngressError { source: source(), byte_count, kind };
        let cap = self.services.config.state.max_refusals;
        self.beside().refused.note(error, cap);
    }
}

/// A name that a caller gave, at most as long as one that exists.
pub(super) fn given_name(name: &str) -> std::sync::Arc<str> {
    cut_detail(name, NAME_BYTES).into()
}
