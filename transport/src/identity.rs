//! The key that a host proves itself with.
//!
//! Law: the secret is in one file that only its owner may read, and in memory that is wiped. It is
//! never printed, never in an error, and there is no way to copy it out.

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::{
    rand::{SecureRandom, SystemRandom},
    signature::{Ed25519KeyPair, KeyPair},
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use samsara_proto::PeerId;
use zeroize::Zeroizing;

/// PKCS #8 of an ed25519 seed, all but the seed.
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
const SEED_LEN: usize = 32;
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const END: &str = "-----END PRIVATE KEY-----";
/// No key file is longer.
const FILE_LEN_MAX: u64 = 4 << 10;

/// An ed25519 key and the peer that it proves.
///
/// ```
/// use samsara_transport::Identity;
///
/// let identity = Identity::from_seed([7; 32])?;
/// assert!(identity.peer().to_string().starts_with("12D3KooW"));
/// assert_eq!(format!("{identity:?}"), format!("Identity({})", identity.peer()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Identity {
    peer: PeerId,
    pkcs8: Arc<Zeroizing<Vec<u8>>>,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The file is not to be had.
    #[error("cannot {act} the key file {}", path.display())]
    File {
        /// What was tried.
        act: &'static str,
        /// The file.
        path: PathBuf,
        /// What the machine said.
        source: io::Error,
    },
    /// Others may read the file. Whoever can may speak as this peer.
    #[error(
        "the key file {} may be read by others (mode {mode:o}), wanted 600: run chmod 600 on it, and \
         make a new key if somebody may have seen it",
        path.display()
    )]
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// What is in the file is no such key.
    #[error("{} holds no ed25519 key in PKCS #8 PEM", path.display())]
    NotAKey {
        /// The file.
        path: PathBuf,
    },
    /// The machine has no randomness, or refused the key.
    #[error("the machine could not make a key")]
    NoKey,
}

impl Identity {
    /// A new key, known to nobody.
    pub fn generate() -> Result<Self, IdentityError> {
        let mut seed = Zeroizing::new([0; SEED_LEN]);
        SystemRandom::new().fill(seed.as_mut()).map_err(|_| IdentityError::NoKey)?;
        Self::from_seed(*seed)
    }

    /// The key of a seed: as secret as the seed is.
    pub fn from_seed(seed: [u8; SEED_LEN]) -> Result<Self, IdentityError> {
        let seed = Zeroizing::new(seed);
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_ref());
        let pair = pair.map_err(|_| IdentityError::NoKey)?;
        let public: [u8; SEED_LEN] =
            pair.public_key().as_ref().try_into().map_err(|_| IdentityError::NoKey)?;
        let mut pkcs8 = Zeroizing::new(Vec::with_capacity(PKCS8.len() + SEED_LEN));
        pkcs8.extend_from_slice(&PKCS8);
        pkcs8.extend_from_slice(seed.as_ref());
        Ok(Self { peer: PeerId::from_ed25519_public_key(&public), pkcs8: Arc::new(pkcs8) })
    }

    /// The key in this file; if there is no file, a new key, which is written there.
    pub fn load_or_create(path: impl AsRef<Path>) -> Result<Self, IdentityError> {
        match Self::load(&path) {
            Err(IdentityError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
                Self::create(path)
            }
            other => other,
        }
    }

    /// The key in this file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, IdentityError> {
        let path = path.as_ref();
        let failed = |source| IdentityError::File { act: "read", path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        refuse_open(&file, path)?;
        let mut text = Zeroizing::new(String::new());
        file.take(FILE_LEN_MAX).read_to_string(&mut text).map_err(failed)?;
        let not_a_key = || IdentityError::NotAKey { path: path.to_owned() };
        let body = text.trim().strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END));
        let body: Zeroizing<String> =
            Zeroizing::new(body.ok_or_else(not_a_key)?.split_whitespace().collect());
        let der = Zeroizing::new(STANDARD.decode(body.as_bytes()).map_err(|_| not_a_key())?);
        let seed = der.strip_prefix(&PKCS8).and_then(|seed| <[u8; SEED_LEN]>::try_from(seed).ok());
        Self::from_seed(seed.ok_or_else(not_a_key)?)
    }

    /// A new key in a new file, which only this user may read. A file that is there stays as it is.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, IdentityError> {
        let path = path.as_ref();
        let identity = Self::generate()?;
        let body = Zeroizing::new(STANDARD.encode(identity.pkcs8.as_slice()));
        let text = Zeroizing::new(format!("{BEGIN}\n{}\n{END}\n", body.as_str()));
        let failed = |act| move |source| IdentityError::File { act, path: path.to_owned(), source };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed("create"))?;
        file.write_all(text.as_bytes()).map_err(failed("write"))?;
        file.sync_all().map_err(failed("sync"))?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = File::open(directory.unwrap_or(Path::new("."))).map_err(failed("sync"))?;
        directory.sync_all().map_err(failed("sync"))?;
        Ok(identity)
    }

    /// Who it proves.
    pub fn peer(&self) -> PeerId {
        self.peer
    }

    pub(crate) fn pkcs8(&self) -> PrivatePkcs8KeyDer<'_> {
        PrivatePkcs8KeyDer::from(self.pkcs8.as_slice())
    }
}

#[cfg(unix)]
fn refuse_open(file: &File, path: &Path) -> Result<(), IdentityError> {
    use std::os::unix::fs::PermissionsExt;

    let failed = |source| IdentityError::File { act: "read", path: path.to_owned(), source };
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        Ok(())
    } else {
        Err(IdentityError::TooOpen { path: path.to_owned(), mode })
    }
}

#[cfg(not(unix))]
fn refuse_open(_: &File, _: &Path) -> Result<(), IdentityError> {
    Ok(())
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.peer)
    }
}
