//! A System to be: what it is given before it starts.
//!
//! Law: nothing is begun before all of it is known to be sound.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex},
};

use samsara_proto::PeerId;
use samsara_runtime::{
    config::HostConfig,
    job::Resources,
    rng::Rng,
    supervision::{Policy, Supervisor},
};

use crate::{
    chief::Court,
    disk::LocalDisk,
    error::StartError,
    host::Host,
    jobs::Jobs,
    links::{Plan, Who},
    panics,
    reign::Reign,
    store::DiskStore,
    switch::Switch,
    system::System,
};

/// A System to be.
#[derive(Debug)]
#[must_use]
pub struct SystemBuilder {
    pub(crate) store: Option<LocalDisk>,
    pub(crate) identity: Option<Who>,
    pub(crate) limits: HostConfig,
    pub(crate) policy: Policy,
    pub(crate) resources: Resources,
    pub(crate) job_threads: usize,
    pub(crate) switch: Switch,
    pub(crate) links: Plan,
}

impl SystemBuilder {
    /// Where histories are kept.
    pub fn store(mut self, disk: LocalDisk) -> Self {
        self.store = Some(disk);
        self
    }

    /// Who it is, by its id or by the key that proves it; else whoever its transport proves, or its
    /// store belongs to, or somebody new.
    pub fn identity(mut self, who: impl Into<Who>) -> Self {
        self.identity = Some(who.into());
        self
    }

    /// Its limits.
    pub fn limits(mut self, limits: HostConfig) -> Self {
        self.limits = limits;
        self
    }

    /// How Nodes that fall are treated.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// What jobs find, and on how many threads they run.
    pub fn jobs(mut self, resources: Resources, threads: usize) -> Self {
        (self.resources, self.job_threads) = (resources, threads);
        self
    }

    /// Where its Nodes find those of other Systems in this process.
    pub fn switch(mut self, switch: &Switch) -> Self {
        self.switch = switch.clone();
        self
    }

    /// Starts it, on the runtime that this is called on.
    pub async fn start(self) -> Result<System, StartError> {
        panics::install();
        let Self { store, identity, limits, policy, resources, job_threads, switch, mut links } =
            self;
        limits.validate()?;
        let identity = links.complete(identity)?;
        let mut rng = Rng::from_seed(entropy());
        let (peer, store) = match store {
            None => {
                let drawn = PeerId::from(rng.next_u64()).derive(&rng.next_u64().to_string());
                (identity.unwrap_or(drawn), None)
            }
            Some(disk) => {
                let mut rng = rng.fork("store");
                let open = move || DiskStore::open(disk, identity, limits.journal, &mut rng);
                let opened = tokio::task::spawn_blocking(open).await;
                let detail = "its store was not opened".to_owned();
                let (store, peer) = opened.map_err(|_| StartError::Supervisor { detail })??;
                (peer, Some(store))
            }
        };
        let own_links = links.links(peer, &switch, rng.fork("links"));
        let jobs = Jobs::new(resources, job_threads);
        let host = Host::new((peer, store), limits, (jobs, switch), rng.next_u64());
        host.set_links(Arc::clone(&own_links));
        let supervisor = Supervisor::new(policy, limits.supervision);
        let reign = Arc::new(Mutex::new(Reign::new(supervisor, rng.fork("restarts"))));
        let system = System::begin(Court { host, reign }).await?;
        links.begin(&own_links).await?;
        Ok(system)
    }
}

/// What nobody can tell ahead: the machine's own randomness, which std hands out as keys.
fn entropy() -> u64 {
    RandomState::new().hash_one(std::process::id())
}
