//! What a System is told about its links before it starts.
//!
//! Law: nobody is let in unless it is written, and what cannot be meant is refused with what to
//! write instead.

use std::{
    fmt::Display,
    sync::{Arc, Weak},
};

use samsara_proto::{Address, AddressError, PeerId};
use samsara_runtime::rng::Rng;
use samsara_transport::{Gate, Identity, ListenError, Tcp, Transport};

use super::{LinkConfig, Links};
use crate::{SystemBuilder, store::locked, switch::Switch};

/// Who a System is.
#[derive(Clone, Debug)]
pub struct Who(Name);

#[derive(Clone, Debug)]
enum Name {
    Told(PeerId),
    Proved(Identity),
}

impl Who {
    pub(crate) fn peer(&self) -> PeerId {
        match &self.0 {
            Name::Told(peer) => *peer,
            Name::Proved(identity) => identity.peer(),
        }
    }
}

/// An id that nobody proves: enough for a System that is not on a network.
impl From<PeerId> for Who {
    fn from(peer: PeerId) -> Self {
        Self(Name::Told(peer))
    }
}

/// A key, and the id that it proves: enough for TCP.
impl From<Identity> for Who {
    fn from(identity: Identity) -> Self {
        Self(Name::Proved(identity))
    }
}

/// Why a System has no links.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// It listens, and nobody would be heard.
    #[error(
        "the system listens at {address} and lets nobody in: name those it is to hear with \
         .allow([…]), or write .open()"
    )]
    NobodyLetIn {
        /// Where it listens.
        address: String,
    },
    /// This is no address.
    #[error("{text:?} is no address, wanted one like /ip4/0.0.0.0/tcp/4001/tls")]
    Address {
        /// What was given.
        text: String,
        /// What is wrong with it.
        source: AddressError,
    },
    /// Nothing that it has speaks this.
    #[error(
        "nothing speaks {address}: give the system a key with .identity(…) for TCP, or another \
         .transport(…)"
    )]
    NoTransport {
        /// The address.
        address: Address,
    },
    /// A transport proves to be somebody else.
    #[error("the system is {wanted} and a transport of it proves {found}")]
    OtherIdentity {
        /// Who the System is.
        wanted: Box<PeerId>,
        /// Whom the transport proves.
        found: Box<PeerId>,
    },
    /// It is to dial itself.
    #[error("{peer} is the system itself: name other hosts as its peers")]
    Itself {
        /// Its id.
        peer: PeerId,
    },
    /// With nothing of this nothing would ever move.
    #[error("the link limit {field} is zero, wanted at least 1")]
    Zero {
        /// The field.
        field: &'static str,
    },
    /// It cannot listen there.
    #[error(transparent)]
    Listen(#[from] ListenError),
}

/// What was written.
#[derive(Default)]
pub(crate) struct Plan {
    transports: Vec<Arc<dyn Transport>>,
    listen: Vec<String>,
    peers: Vec<(PeerId, String)>,
    access: Option<Access>,
    config: LinkConfig,
}

enum Access {
    Only(Vec<PeerId>),
    Open,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan")
            .field("listen", &self.listen)
            .field("peers", &self.peers)
            .finish_non_exhaustive()
    }
}

impl SystemBuilder {
    /// What carries its links, beside TCP, which it has if it has a key.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.links.transports.push(Arc::new(transport));
        self
    }

    /// Where it is reached. Who is heard there is to be said with [`allow`](Self::allow) or
    /// [`open`](Self::open).
    ///
    /// ```
    /// use samsara_actors::{StartError, System};
    /// use samsara_transport::Identity;
    ///
    /// # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
    /// let (server, client) = (Identity::generate()?, Identity::generate()?);
    /// let at = "/ip4/127.0.0.1/tcp/0/tls";
    ///
    /// let unsaid = System::builder().identity(server.clone()).listen(at).start().await;
    /// assert!(matches!(unsaid, Err(StartError::Links(_))), "nobody was let in");
    ///
    /// let (there, here) = (server.peer(), client.peer());
    /// let server = System::builder().identity(server).listen(at).allow([here]).start().await?;
    /// let at = &server.addresses()[0];
    /// let client = System::builder().identity(client).peer(there, at).start().await?;
    /// while !client.link_stats().hosts[0].is_linked {
    ///     tokio::task::yield_now().await;
    /// }
    /// // Nodes of either reach those of the other by their ids.
    /// client.stop().await?;
    /// server.stop().await?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn listen(mut self, at: impl Display) -> Self {
        self.links.listen.push(at.to_string());
        self
    }

    /// A host to be linked with, and where that is. It is dialled until it answers, and again.
    pub fn peer(mut self, host: PeerId, at: impl Display) -> Self {
        self.links.peers.push((host, at.to_string()));
        self
    }

    /// These hosts are let in, and nobody else.
    pub fn allow(mut self, hosts: impl IntoIterator<Item = PeerId>) -> Self {
        let mut list = match self.links.access.take() {
            Some(Access::Only(list)) => list,
            Some(Access::Open) | None => Vec::new(),
        };
        list.extend(hosts);
        self.links.access = Some(Access::Only(list));
        self
    }

    /// Everybody who has a key is let in, which is everybody.
    pub fn open(mut self) -> Self {
        self.links.access = Some(Access::Open);
        self
    }

    /// The limits of its links.
    pub fn link_limits(mut self, config: LinkConfig) -> Self {
        self.links.config = config;
        self
    }
}

impl Plan {
    /// Completes what was written: who the System is, if anything says so.
    pub(crate) fn complete(&mut self, who: Option<Who>) -> Result<Option<PeerId>, LinkError> {
        if let Some(field) = self.config.zero() {
            return Err(LinkError::Zero { field });
        }
        if let Some(Who(Name::Proved(identity))) = &who {
            self.transports.push(Arc::new(Tcp::new(identity.clone())));
        }
        let told = who.map(|who| who.peer());
        let proved = self.transports.first().map(|transport| transport.peer());
        let peer = told.or(proved);
        for found in self.transports.iter().map(|transport| transport.peer()) {
            if let Some(wanted) = peer.filter(|wanted| *wanted != found) {
                let (wanted, found) = (Box::new(wanted), Box::new(found));
                return Err(LinkError::OtherIdentity { wanted, found });
            }
        }
        match (&self.access, self.listen.first()) {
            (None, Some(address)) => Err(LinkError::NobodyLetIn { address: address.clone() }),
            _ => Ok(peer),
        }
    }

    /// Makes the links of a System, without any one yet.
    pub(crate) fn links(&self, here: PeerId, switch: &Switch, rng: Rng) -> Arc<Links> {
        let ways = (self.transports.clone(), switch.clone());
        Arc::new(Links::new(here, self.config, ways, rng))
    }

    /// Listens, and dials.
    pub(crate) async fn begin(self, links: &Arc<Links>) -> Result<(), LinkError> {
        for (peer, text) in self.peers {
            let address = parse(&text)?;
            if peer == links.here {
                return Err(LinkError::Itself { peer });
            }
            speaker(&self.transports, &address)?;
            links.aim(peer, address);
        }
        let access = Arc::new(self.access);
        for text in self.listen {
            let address = parse(&text)?;
            let transport = speaker(&self.transports, &address)?;
            let gate = gate(&access, Arc::downgrade(links));
            let listener = transport.listen(&address, gate).await?;
            locked(&links.addresses).push(listener.address().clone());
            let accept = Arc::clone(links).accept(listener);
            links.keep(tokio::spawn(accept).abort_handle());
        }
        links.seek_all();
        Ok(())
    }
}

fn parse(text: &str) -> Result<Address, LinkError> {
    text.parse().map_err(|source| LinkError::Address { text: text.to_owned(), source })
}

fn speaker<'t>(
    transports: &'t [Arc<dyn Transport>],
    address: &Address,
) -> Result<&'t Arc<dyn Transport>, LinkError> {
    let speaks = |transport: &&Arc<dyn Transport>| transport.speaks(address);
    let found = transports.iter().find(speaks);
    found.ok_or_else(|| LinkError::NoTransport { address: address.clone() })
}

fn gate(access: &Arc<Option<Access>>, links: Weak<Links>) -> Gate {
    let access = Arc::clone(access);
    Gate::asking(move |peer| {
        let Some(links) = links.upgrade() else { return false };
        let is_listed = match &*access {
            Some(Access::Open) => true,
            Some(Access::Only(list)) => list.contains(peer),
            None => false,
        };
        let is_let_in = is_listed && *peer != links.here && !links.is_blocked(peer);
        if !is_let_in {
            links.counters.denied.add();
        }
        is_let_in
    })
}
