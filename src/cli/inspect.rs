//! What a store holds: `samsara inspect STORE`.
//!
//! Law: it looks only where a store is, and makes none where there is not.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

use super::Failure;
use crate::{
    actors::{Disk, NodeReport, StoreReport, inspect},
    runtime::recovery::RecordKind,
};

/// Which store to look at.
#[derive(Debug, Args)]
pub(super) struct Inspect {
    /// The directory of the store. Nobody may have it meanwhile.
    store: PathBuf,
}

/// There is no store where one was looked for.
#[derive(Debug, thiserror::Error)]
#[error("{} is no directory; name the one that was given to `Disk::open`", .0.display())]
struct NoStore(PathBuf);

impl Inspect {
    pub(super) fn run(self, is_json: bool) -> Result<(), Failure> {
        if !self.store.is_dir() {
            return Err(NoStore(self.store).into());
        }
        let report = inspect(Disk::open(&self.store)?)?;
        if is_json {
            println!("{}", store_json(&report));
            report.nodes.iter().for_each(|node| println!("{}", node_json(node)));
        } else {
            tell(&report);
        }
        Ok(())
    }
}

fn store_json(report: &StoreReport) -> Value {
    json!({
        "store": report.store.to_string(),
        "owner": report.owner.map(|owner| owner.to_string()),
        "incarnation": report.incarnation.get(),
        "torn": report.torn.as_ref().map(|cut| json!({
            "file": cut.file.to_string(),
            "offset": cut.offset,
            "record": cut.lsn.get(),
            "fault": cut.fault.to_string(),
        })),
        "first": report.first.get(),
        "last": report.last.get(),
        "nodes": report.nodes.len(),
    })
}

fn node_json(node: &NodeReport) -> Value {
    let kinds: Map<String, Value> =
        node.kinds.iter().map(|(kind, count)| (name(*kind).to_owned(), json!(count))).collect();
    json!({
        "node": node.peer.to_string(),
        "last": node.last.get(),
        "records": node.records,
        "kept": kinds,
        "snapshots": node.snapshots.iter().map(|lsn| lsn.get()).collect::<Vec<_>>(),
        "rotten": node.rotten.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn tell(report: &StoreReport) {
    println!("store {}", report.store);
    match report.owner {
        Some(owner) => println!("  belongs to {owner}"),
        None => println!("  belongs to nobody yet"),
    }
    println!("  last life {}", report.incarnation);
    println!("  records {} to {}", report.first, report.last);
    if let Some(cut) = &report.torn {
        let (lsn, offset, file, fault) = (cut.lsn, cut.offset, &cut.file, &cut.fault);
        println!("  its log was torn before record {lsn}, at byte {offset} of {file}: {fault}");
    }
    for node in &report.nodes {
        println!("node {}", node.peer);
        println!("  {} records ever, the last is {}", node.records, node.last);
        let kinds: Vec<_> =
            node.kinds.iter().map(|(kind, count)| format!("{count} {}", name(*kind))).collect();
        println!("  kept: {}", kinds.join(", "));
        let snapshots: Vec<_> = node.snapshots.iter().map(|lsn| format!("at {lsn}")).collect();
        let none = snapshots.is_empty().then_some("none");
        println!("  snapshots: {}{}", none.unwrap_or(""), snapshots.join(", "));
        for file in &node.rotten {
            println!("  not whole any more: {file}");
        }
    }
}

fn name(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Batch => "batches",
        RecordKind::Abort => "aborts",
        RecordKind::DeadLetter => "dead letters",
        RecordKind::Ack => "acknowledged outputs",
        _ => "others",
    }
}
