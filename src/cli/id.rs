//! Keys: `samsara id new FILE`, `samsara id show FILE`.
//!
//! Law: only the public half is ever printed, and no key is overwritten.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::Failure;
use crate::transport::{Identity, IdentityError};

/// What is to be done with a key.
#[derive(Debug, Subcommand)]
pub(super) enum Id {
    /// Make a new key in a new file that only you may read, and print whom it proves.
    New {
        /// The file.
        file: PathBuf,
    },
    /// Print whom a key proves.
    Show {
        /// The file.
        file: PathBuf,
    },
}

impl Id {
    pub(super) fn run(&self, is_json: bool) -> Result<(), Failure> {
        let (file, identity) = match self {
            Self::New { file } => (file, Identity::create(file)),
            Self::Show { file } => (file, Identity::load(file)),
        };
        let peer = identity.map_err(advise)?.peer();
        if is_json {
            println!("{}", json!({ "file": file, "peer": peer.to_string() }));
        } else {
            println!("{peer}");
        }
        Ok(())
    }
}

/// Adds what to do next.
fn advise(error: IdentityError) -> Failure {
    let said = error.to_string();
    let (next, cause) = match error {
        IdentityError::File { act: "create", source, .. } => {
            ("a key that is there is kept: name another file, or show this one", source)
        }
        IdentityError::File { act: "read", source, .. } => {
            ("`samsara id new FILE` makes one", source)
        }
        other => return other.into(),
    };
    Advice { said, next, cause }.into()
}

/// What failed, and what to do next.
#[derive(Debug, thiserror::Error)]
#[error("{said}; {next}")]
struct Advice {
    said: String,
    next: &'static str,
    #[source]
    cause: std::io::Error,
}
