//! A link to one peer.
//!
//! Law: who is at the other end was proved before there was a link.

use samsara_proto::PeerId;

use crate::{closed::Ending, receive::LinkReceiver, send::LinkSender};

/// What a link is for. Two of a peer keep a large tensor from standing in the way of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Small and soon: acknowledgements, credit, requests.
    Control,
    /// Large.
    Bulk,
}

/// A link, with what goes out and what comes in.
#[derive(Debug)]
pub struct Link {
    peer: PeerId,
    class: Class,
    ending: Ending,
    sender: LinkSender,
    receiver: LinkReceiver,
}

impl Link {
    pub(crate) fn new(
        peer: PeerId,
        class: Class,
        ending: Ending,
        sender: LinkSender,
        receiver: LinkReceiver,
    ) -> Self {
        Self { peer, class, ending, sender, receiver }
    }

    /// Who is at the other end, as was proved.
    pub fn peer(&self) -> PeerId {
        self.peer
    }

    /// What it is for.
    pub fn class(&self) -> Class {
        self.class
    }

    /// Its two halves. It ends when the receiver or the last sender is gone.
    pub fn split(self) -> (LinkSender, LinkReceiver) {
        (self.sender, self.receiver)
    }

    /// Gives it what is to be given back when it has ended.
    #[cfg_attr(not(feature = "tcp"), expect(dead_code, reason = "memory has no seats"))]
    pub(crate) fn keep(&self, seat: impl Send + Sync + 'static) {
        self.ending.keep(seat);
    }
}
