//! Keys in files.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use samsara_transport::{Identity, IdentityError};

struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("samsara-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory for the test");
        Self(path)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_key_that_was_created_is_loaded_as_the_same_and_only_its_owner_may_read_it() {
    let at = Directory::new("created");
    let made = Identity::load_or_create(at.file("node.key")).expect("it is created");
    let mode = fs::metadata(at.file("node.key")).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = Identity::load_or_create(at.file("node.key")).expect("it is loaded");
    assert_eq!(made.peer(), again.peer());
    assert_ne!(made.peer(), Identity::generate().expect("another").peer());
    let refused = Identity::create(at.file("node.key")).expect_err("a key is never overwritten");
    assert!(matches!(refused, IdentityError::File { act: "create", .. }));
}

#[test]
fn the_file_is_what_other_tools_read() {
    let at = Directory::new("format");
    // The key of RFC 8410, section 10.3.
    let pem = "-----BEGIN PRIVATE KEY-----\n\
               MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
               -----END PRIVATE KEY-----\n";
    fs::write(at.file("rfc.key"), pem).expect("it is written");
    fs::set_permissions(at.file("rfc.key"), fs::Permissions::from_mode(0o600)).expect("its mode");
    let identity = Identity::load(at.file("rfc.key")).expect("it is a key");
    let public = identity.peer().ed25519_public_key().expect("an ed25519 peer");
    assert_eq!(public[..4], [0x19, 0xbf, 0x44, 0x09]);
}

#[test]
fn a_key_that_others_may_read_is_refused_with_what_to_do() {
    let at = Directory::new("open");
    Identity::create(at.file("node.key")).expect("it is created");
    for mode in [0o640, 0o604, 0o660, 0o777] {
        let permissions = fs::Permissions::from_mode(mode);
        fs::set_permissions(at.file("node.key"), permissions).expect("its mode");
        let refused = Identity::load_or_create(at.file("node.key")).expect_err("it is too open");
        assert!(matches!(refused, IdentityError::TooOpen { mode: found, .. } if found == mode));
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
    }
}

#[test]
fn what_is_no_key_is_refused_and_its_text_is_not_shown() {
    let at = Directory::new("garbled");
    Identity::create(at.file("good.key")).expect("it is created");
    let good = fs::read_to_string(at.file("good.key")).expect("it is text");
    let (begin, body) = good.split_once('\n').expect("it has lines");
    let garbled = [
        String::new(),
        "secret".to_owned(),
        good.replace("PRIVATE", "PUBLIC"),
        format!("{begin}\n{}", body.replacen('M', "!", 1)),
        format!("{begin}\n{}", body.get(4..).unwrap_or_default()),
        good.replace('\n', "\nAAAA\n"),
    ];
    for text in garbled {
        fs::write(at.file("bad.key"), &text).expect("it is written");
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(at.file("bad.key"), private).expect("its mode");
        let refused = Identity::load(at.file("bad.key")).expect_err("it is no key");
        assert!(matches!(refused, IdentityError::NotAKey { .. }), "{text:?}: {refused}");
        let shown = format!("{refused} {refused:?}");
        assert!(text.trim().is_empty() || !shown.contains(text.trim()));
    }
}

#[test]
fn nothing_that_is_printed_holds_the_secret() {
    let seed = *b"canary-canary-canary-canary-seed";
    let identity = Identity::from_seed(seed).expect("any seed is a key");
    let shown = format!("{identity:?} {:?}", samsara_transport::Tcp::new(identity.clone()));
    for secret in [String::from_utf8_lossy(&seed).into_owned(), format!("{:?}", &seed[..8])] {
        assert!(!shown.contains(secret.trim_matches(['[', ']'])), "{shown}");
    }
}
