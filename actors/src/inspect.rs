//! What a store holds, without its programs.
//!
//! Law: a store that somebody has is not looked at. Opening it is what it always is: a torn tail is
//! cut off, and told.
//!
//! ```
//! use samsara_actors::{Disk, inspect};
//!
//! # let data = std::env::temp_dir().join(format!("samsara-inspect-{}", std::process::id()));
//! let report = inspect(Disk::open(&data)?)?;
//! assert_eq!((report.owner, report.nodes.len()), (None, 0));
//! # std::fs::remove_dir_all(&data)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeMap;

use samsara_proto::PeerId;
use samsara_runtime::{
    config::JournalConfig,
    hosting::StoreFault,
    id::Incarnation,
    recovery::{Cut, Lives, Log, Lsn, Opened, RecordKind, Snapshots, StoreId},
    rng::Rng,
    storage::{FileName, Storage, StorageError},
};

use crate::{
    disk::LocalDisk,
    store::{StoreError, read_owner},
};

/// What is in a store.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StoreReport {
    /// Whose it is, if it says so.
    pub owner: Option<PeerId>,
    /// Which it is.
    pub store: StoreId,
    /// The life of any of its Nodes that began last.
    pub incarnation: Incarnation,
    /// Where its log was torn.
    pub torn: Option<Cut>,
    /// The first record that is there, or would be.
    pub first: Lsn,
    /// The last one.
    pub last: Lsn,
    /// The Nodes that have records there, by their ids.
    pub nodes: Vec<NodeReport>,
}

/// What a store has of one Node.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NodeReport {
    /// The Node.
    pub peer: PeerId,
    /// Its last record.
    pub last: Lsn,
    /// How many it ever had.
    pub records: u64,
    /// Those that are there, by their kinds.
    pub kinds: BTreeMap<RecordKind, u64>,
    /// Its whole snapshots, by the record that each holds the effects of; the newest first.
    pub snapshots: Vec<Lsn>,
    /// Snapshots that are not whole any more.
    pub rotten: Vec<FileName>,
}

/// Looks at what a store holds.
pub fn inspect(mut disk: LocalDisk) -> Result<StoreReport, StoreError> {
    let store = disk.directory().display().to_string();
    match disk.lock() {
        Ok(()) => {}
        Err(StorageError::Locked) => {
            return Err(StoreError::Locked { store, process: disk.owner() });
        }
        Err(error) => return Err(StoreError::Fault { store, fault: error.into() }),
    }
    let report = look(&mut disk).map_err(|fault| StoreError::Fault { store, fault });
    disk.unlock();
    report
}

fn look(disk: &mut LocalDisk) -> Result<StoreReport, StoreFault> {
    // Nothing is written that would need other numbers than these.
    let mut rng = Rng::from_seed(0);
    let owner = read_owner(disk)?.and_then(|bytes| PeerId::from_bytes(&bytes).ok());
    let lives = Lives::open(disk, &mut rng)?;
    let (store, config) = (lives.store(), JournalConfig::default());
    let Opened { log, cut, .. } = Log::open(disk, store, config, rng)?;
    let mut kinds: BTreeMap<PeerId, BTreeMap<RecordKind, u64>> = BTreeMap::new();
    log.read(disk, Lsn::ZERO, |record| {
        let count = kinds.entry(record.node).or_default().entry(record.kind).or_default();
        *count = count.saturating_add(1);
    })?;
    let (first, last) = (log.first(), log.appended());
    let mut nodes = Vec::new();
    for (peer, kinds) in kinds {
        let found = Snapshots::of(store, &peer).find(disk)?;
        nodes.push(NodeReport {
            last: log.last(&peer),
            records: log.head(&peer).map_or(0, |head| head.count),
            kinds,
            snapshots: found.whole.iter().map(|snapshot| snapshot.lsn).collect(),
            rotten: found.rotten,
            peer,
        });
    }
    let incarnation = lives.last();
    Ok(StoreReport { owner, store, incarnation, torn: cut, first, last, nodes })
}
