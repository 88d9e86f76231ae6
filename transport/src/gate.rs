//! Who is let in.
//!
//! Law: nobody, unless it is written. A gate is asked with a proved identity, before anything else of
//! a peer is read.

use std::{collections::BTreeSet, fmt, sync::Arc};

use samsara_proto::PeerId;

/// Who is let in: nobody, if nothing else is said.
///
/// ```
/// use samsara_proto::PeerId;
/// use samsara_transport::Gate;
///
/// let ada = PeerId::from(1);
/// assert!(!Gate::default().admits(&ada));
/// assert!(Gate::only([ada]).admits(&ada));
/// assert!(!Gate::only([]).admits(&ada), "an empty list is nobody");
/// assert!(Gate::open().admits(&ada));
/// ```
#[derive(Clone, Default)]
pub struct Gate(Who);

#[derive(Clone, Default)]
enum Who {
    #[default]
    Nobody,
    Asked(Arc<dyn Fn(&PeerId) -> bool + Send + Sync>),
    Everybody,
}

impl Gate {
    /// Everybody who has a key, which is everybody.
    pub fn open() -> Self {
        Self(Who::Everybody)
    }

    /// Those on a list.
    pub fn only(peers: impl IntoIterator<Item = PeerId>) -> Self {
        let list: BTreeSet<PeerId> = peers.into_iter().collect();
        Self::asking(move |peer| list.contains(peer))
    }

    /// Whom a question lets in, each time it is asked.
    pub fn asking(question: impl Fn(&PeerId) -> bool + Send + Sync + 'static) -> Self {
        Self(Who::Asked(Arc::new(question)))
    }

    /// Whether this peer is let in.
    pub fn admits(&self, peer: &PeerId) -> bool {
        match &self.0 {
            Who::Nobody => false,
            Who::Asked(question) => question(peer),
            Who::Everybody => true,
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Who::Nobody => "nobody",
            Who::Asked(_) => "asked",
            Who::Everybody => "everybody",
        })
    }
}
