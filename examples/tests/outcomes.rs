//! Every example is run, and has to end well: each asserts its own outcome.
//!
//! Law: none is left out. `cargo test` builds them before it comes here.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The examples of this package that this build has.
fn names() -> Vec<String> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let entries = fs::read_dir(sources).expect("the examples are there");
    let stem = |entry: fs::DirEntry| entry.path().file_stem()?.to_str().map(str::to_owned);
    let names = entries.filter_map(|entry| stem(entry.expect("it can be read")));
    let mut names: Vec<_> = names.filter(|name| name != "web" || cfg!(feature = "web")).collect();
    names.sort_unstable();
    names
}

/// Where cargo puts what it makes of them: beside the directory of this test.
fn built() -> PathBuf {
    let own = env::current_exe().expect("this is a file");
    let profile = own.parent().and_then(Path::parent).expect("target/PROFILE/deps/this");
    profile.join("examples")
}

#[test]
fn every_example_ends_well() {
    let names = names();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        let mut example = Command::new(built().join(&name));
        let place = env::temp_dir().join(format!("samsara-{name}-{}", std::process::id()));
        if name == "emit_onnx" {
            example.arg(&place);
        }
        let output = example.output().unwrap_or_else(|error| {
            panic!("{name} was not built, which a plain `cargo test` does: {error}")
        });
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name} ended with {}: {said}", output.status);
        // What is not there needs no removal.
        let _ = fs::remove_dir_all(place);
    }
}
