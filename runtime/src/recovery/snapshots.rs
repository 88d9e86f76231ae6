//! The files of snapshots: one for each Node and record, and the newest that is whole counts.
//!
//! Law: a file bears its name only when it is whole and synced, and is read back before it is
//! relied on. One that has rotten is passed over and told, and the one before it counts. Nothing
//! points to a file but its name.

use bytes::Bytes;
use samsara_proto::PeerId;

use super::{part::HostPart, record::Lsn, segment::StoreId};
use crate::{
    codec::{Loader, Saved, Saver, Types, Unreadable},
    planted::{self, Bug},
    snapshot::{DecodeError, NodeSnapshot},
    storage::{FileName, FileNameError, Storage, StorageError},
};

const SUFFIX: &str = ".snap";
/// A file that is not whole yet.
const SPARE: &str = ".new";
/// Keeps this hash from being one of anything else that is hashed.
const CONTEXT: &str = "samsara store snapshot, layout 1";
const CHECKSUM: usize = 32;

/// The snapshots of one Node.
#[derive(Clone, Debug)]
pub struct Snapshots {
    store: StoreId,
    node: PeerId,
    /// What the names of all files of the Node begin with.
    prefix: String,
}

/// A snapshot that was read back whole.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct StoredSnapshot {
    /// The last record that it holds the effects of.
    pub lsn: Lsn,
    /// The Node.
    pub node: NodeSnapshot,
    /// The bytes of what stands beside it: [`HostPart::fill`] reads them.
    pub part: Bytes,
}

/// What there is of a Node.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Found {
    /// The whole ones, newest first.
    pub whole: Vec<StoredSnapshot>,
    /// Files that are not whole any more.
    pub rotten: Vec<FileName>,
}

/// Why a snapshot was not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeepError {
    /// The disk does not do what it is to.
    #[error("the snapshot cannot be written")]
    Storage(#[from] StorageError),
    /// It was written, and does not read back.
    #[error("{file} does not read back as it was written")]
    NotWhole {
        /// The file.
        file: FileName,
    },
    /// The name of the file is none.
    #[error(transparent)]
    Name(#[from] FileNameError),
}

impl Snapshots {
    /// Those of this Node in this store.
    pub fn of(store: StoreId, node: &PeerId) -> Self {
        // A hash of the id, since an id may be longer than a name.
        let hash = blake3::hash(&node.to_bytes());
        let tag = hash.to_hex();
        let prefix = format!("snap-{}-", tag.get(..32).unwrap_or_default());
        Self { store, node: *node, prefix }
    }

    /// Keeps a snapshot: when this has returned it is durable, and was read back.
    pub fn keep(
        &self,
        storage: &mut impl Storage,
        node: &NodeSnapshot,
        part: &HostPart,
    ) -> Result<(), KeepError> {
        let file = self.file(part.lsn)?;
        let spare = FileName::new(&format!("{}{SPARE}", self.prefix.trim_end_matches('-')))?;
        let bytes = self.encode(part.lsn, node, &part.to_bytes());
        match storage.remove(&spare) {
            Ok(()) | Err(StorageError::Missing { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        storage.create(&spare, bytes.len() as u64)?;
        storage.write_at(&spare, 0, &bytes)?;
        if !planted::is(Bug::UnsyncedSnapshot) {
            storage.sync(&spare)?;
        }
        storage.rename(&spare, &file)?;
        storage.sync_dir()?;
        match self.read(storage, &file, part.lsn)? {
            Some(read) if read.node == *node => Ok(()),
            Some(_) | None => Err(KeepError::NotWhole { file }),
        }
    }

    /// The newest two that are whole.
    pub fn find(&self, storage: &impl Storage) -> Result<Found, StorageError> {
        let mut found = Found::default();
        for file in storage.list()?.into_iter().rev() {
            let Some(lsn) = self.lsn(&file) else { continue };
            match self.read(storage, &file, lsn)? {
                Some(read) => found.whole.push(read),
                None => found.rotten.push(file),
            }
            if found.whole.len() == 2 {
                break;
            }
        }
        Ok(found)
    }

    /// Deletes what is older than this, which is the older of two that were read back.
    pub fn prune(&self, storage: &mut impl Storage, older: Lsn) -> Result<(), StorageError> {
        let stale = |file: &FileName| self.lsn(file).is_some_and(|lsn| lsn < older);
        let stale: Vec<FileName> = storage.list()?.into_iter().filter(stale).collect();
        if stale.is_empty() {
            return Ok(());
        }
        stale.iter().try_for_each(|file| storage.remove(file))?;
        storage.sync_dir()
    }

    fn encode(&self, lsn: Lsn, node: &NodeSnapshot, part: &Bytes) -> Vec<u8> {
        let mut out = Saver::default();
        out.raw(part);
        out.raw(&node.encode());
        let body = out.into_bytes();
        [&self.checksum(lsn, &body)[..], &body].concat()
    }

    fn checksum(&self, lsn: Lsn, body: &[u8]) -> [u8; CHECKSUM] {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        hasher.update(&self.store.0).update(&lsn.get().to_le_bytes());
        hasher.update(&self.node.to_bytes()).update(body);
        *hasher.finalize().as_bytes()
    }

    fn read(
        &self,
        storage: &impl Storage,
        file: &FileName,
        lsn: Lsn,
    ) -> Result<Option<StoredSnapshot>, StorageError> {
        let size = usize::try_from(storage.size(file)?).unwrap_or(usize::MAX);
        let mut bytes = Vec::new();
        if bytes.try_reserve_exact(size).is_err() {
            return Err(StorageError::Full { file: file.clone(), wanted: size as u64 });
        }
        bytes.resize(size, 0);
        let read = storage.read(file, 0, &mut bytes)?;
        bytes.truncate(read);
        Ok(self.decode(lsn, &bytes.into()))
    }

    fn decode(&self, lsn: Lsn, bytes: &Bytes) -> Option<StoredSnapshot> {
        let (checksum, body) = bytes.split_first_chunk::<CHECKSUM>()?;
        if *checksum != self.checksum(lsn, body) && !planted::is(Bug::RottenTrusted) {
            return None;
        }
        let (types, body) = (Types::default(), bytes.slice(CHECKSUM..));
        let parse = || -> Result<_, Unreadable> {
            let mut from = Loader::new(&body, &types);
            let (part, node) = (Bytes::load(&mut from)?, Bytes::load(&mut from)?);
            from.end()?;
            Ok((part, node))
        };
        let (part, node) = parse().ok()?;
        let node: Result<NodeSnapshot, DecodeError> = NodeSnapshot::decode(node);
        Some(StoredSnapshot { lsn, node: node.ok()?, part })
    }

    fn file(&self, lsn: Lsn) -> Result<FileName, FileNameError> {
        FileName::new(&format!("{}{:016x}{SUFFIX}", self.prefix, lsn.get()))
    }

    /// The record of a file of this Node.
    fn lsn(&self, file: &FileName) -> Option<Lsn> {
        let digits = file.as_str().strip_prefix(&self.prefix)?.strip_suffix(SUFFIX)?;
        let lsn = Lsn::new(u64::from_str_radix(digits, 16).ok()?);
        (self.file(lsn).as_ref() == Ok(file)).then_some(lsn)
    }
}
