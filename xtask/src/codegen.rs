//! Turns the `.proto` files into the Rust that is checked in beside them.
//!
//! Law: the same `.proto` files give the same bytes, on every machine.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use prost_build::{Config, Module};

const REGENERATE: &str = "cargo run -p xtask -- codegen";

const SOURCES: [&str; 3] =
    ["samsara/wire/v1/wire.proto", "samsara/snapshot/v1/snapshot.proto", "onnx.proto"];

/// Writes every generated file into the tree.
pub(crate) fn write() -> Result<(), Box<dyn Error>> {
    let folder = generated_folder();
    fs::create_dir_all(&folder)?;
    for (name, text) in generate()? {
        fs::write(folder.join(name), text)?;
    }
    Ok(())
}

/// Fails when a file in the tree is not what the `.proto` files give, or has no `.proto` at all.
pub(crate) fn check() -> Result<(), Box<dyn Error>> {
    let folder = generated_folder();
    let generated = generate()?;
    for (name, text) in &generated {
        if fs::read_to_string(folder.join(name)).ok().as_ref() != Some(text) {
            return Err(format!("{name} does not match its .proto: run `{REGENERATE}`").into());
        }
    }
    for entry in fs::read_dir(&folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !generated.contains_key(&name) {
            return Err(format!("{name} comes from no .proto: remove it").into());
        }
    }
    Ok(())
}

fn generate() -> Result<BTreeMap<String, String>, Box<dyn Error>> {
    let descriptors = protox::compile(SOURCES, [proto_crate().join("proto")])?;
    let requests = descriptors
        .file
        .into_iter()
        .map(|file| (Module::from_protobuf_package_name(file.package()), file))
        .collect();
    let mut config = Config::new();
    config.bytes(["."]).btree_map(["."]);
    config.extern_path(".samsara.wire.v1.Fill", "Fill");
    let generated = config.generate(requests)?;
    Ok(generated.into_iter().map(|(module, text)| (module.to_file_name_or("_"), text)).collect())
}

fn generated_folder() -> PathBuf {
    proto_crate().join("src/generated")
}

fn proto_crate() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_generated_code_in_the_tree_matches_its_proto_files() {
        if let Err(error) = super::check() {
            panic!("{error}");
        }
    }
}
